// The sound of a film as a wave, with its cues on it: drag an edge and the cue has another time.

import { useEffect, useRef, useState } from "/vendor/hooks.js";
import { html } from "./parts.js";
import { t } from "./words.js";

const ZOOMS = [25, 50, 100, 200, 400]; // px a second
const AROUND = 1; // screens beside the one in sight in which cues have their regions already
const ASK_AGAIN = 700; // ms, while the peaks are being made
const COLOURS = { plain: "rgb(143 194 255 / 16%)", current: "rgb(143 194 255 / 36%)", broken: "rgb(240 182 74 / 17%)" };

/** Loudness as [-1..1] pairs from `path`, or null where there is none; waits while it is being made. */
async function peaksFrom(path, gone) {
  while (!gone()) {
    let answer;
    try {
      answer = await fetch(`${path}/peaks`);
    } catch {
      return null;
    }
    if (answer.status === 200) {
      const bytes = new Int8Array(await answer.arrayBuffer());
      return { peaks: Float32Array.from(bytes, (value) => value / 127), rate: Number(answer.headers.get("X-Peaks-Rate")) };
    }
    if (answer.status !== 202) return null;
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN));
  }
  return null;
}

/** The style of wavesurfer's own shadow tree is allowed by the nonce that this page was given, and no other. */
const nonce = () => document.querySelector("meta[name=style-nonce]")?.nonce ?? "";

const colourOf = (cue, current, broken) =>
  cue.id === current ? COLOURS.current : broken.has(cue.id) ? COLOURS.broken : COLOURS.plain;

export function Wave({ video, path, length, cues, current, broken, onPick, onTimes }) {
  const frame = useRef(null);
  const inner = useRef(null); // wavesurfer, its regions, and which cue has which
  const latest = useRef({});
  const [zoom, setZoom] = useState(2);
  const [state, setState] = useState("making");
  latest.current = { cues, current, broken, onPick, onTimes };

  const place = () => {
    const { wave, regions, drawn } = inner.current ?? {};
    if (!wave) return;
    const shown = frame.current.clientWidth / ZOOMS[inner.current.zoom];
    const from = wave.getScroll() / ZOOMS[inner.current.zoom] - AROUND * shown;
    const to = from + (1 + 2 * AROUND) * shown;
    const wanted = new Map();
    for (const cue of latest.current.cues) {
      if (cue.end / 1000 >= from && cue.start / 1000 <= to) wanted.set(cue.id, cue);
    }
    for (const [id, region] of drawn) {
      if (!wanted.has(id)) {
        region.remove();
        drawn.delete(id);
      }
    }
    for (const [id, cue] of wanted) {
      const facts = { start: cue.start / 1000, end: cue.end / 1000, color: colourOf(cue, latest.current.current, latest.current.broken) };
      const there = drawn.get(id);
      if (!there) {
        drawn.set(id, regions.addRegion({ id: String(id), ...facts, drag: true, resize: true, minLength: 0.04 }));
      } else if (there.start !== facts.start || there.end !== facts.end || there.color !== facts.color) {
        if (!inner.current.held) there.setOptions(facts);
      }
    }
  };

  useEffect(() => {
    let over = false;
    const begin = async () => {
      const [{ default: WaveSurfer }, { default: Regions }, sound] = await Promise.all([
        import("/vendor/wavesurfer.js"),
        import("/vendor/regions.js"),
        peaksFrom(path, () => over),
      ]);
      if (over) return;
      if (!sound || sound.peaks.length === 0) {
        setState("none");
        return;
      }
      const regions = Regions.create();
      const wave = WaveSurfer.create({
        container: frame.current,
        media: video.current,
        peaks: [sound.peaks],
        duration: length / 1000,
        minPxPerSec: ZOOMS[zoom],
        height: "auto",
        normalize: true,
        waveColor: "#7d8797",
        progressColor: "#c6ccd6",
        cursorColor: "#ff6b66",
        cursorWidth: 2,
        autoScroll: true,
        autoCenter: true,
        hideScrollbar: false,
        dragToSeek: false,
        cspNonce: nonce(),
        plugins: [regions],
      });
      inner.current = { wave, regions, drawn: new Map(), zoom, held: false };
      wave.on("scroll", place);
      wave.on("redraw", place);
      wave.on("ready", () => {
        setState("ready");
        place();
      });
      regions.on("region-update", () => (inner.current.held = true));
      regions.on("region-updated", (region) => {
        inner.current.held = false;
        const times = { start: Math.round(region.start * 1000), end: Math.round(region.end * 1000) };
        latest.current.onTimes(Number(region.id), times);
      });
      regions.on("region-clicked", (region, event) => {
        event.stopPropagation();
        latest.current.onPick(Number(region.id));
      });
    };
    begin().catch(() => setState("none"));
    return () => {
      over = true;
      inner.current?.wave.destroy();
      inner.current = null;
    };
  }, [path, length]);

  useEffect(place, [cues, current, broken]);
  useEffect(() => {
    if (!inner.current) return;
    inner.current.zoom = zoom;
    inner.current.wave.zoom(ZOOMS[zoom]);
    place();
  }, [zoom]);

  const nearer = (by) => setZoom(Math.max(0, Math.min(ZOOMS.length - 1, zoom + by)));
  return html`<section class="wave" aria-label=${t("Sound")}>
    <div class="wave-frame" ref=${frame}></div>
    ${state === "making" && html`<p class="quiet">${t("The wave is being drawn …")}</p>`}
    ${state === "none" && html`<p class="quiet">${t("There is no sound to draw.")}</p>`}
    <div class="zoom">
      <button type="button" aria-label=${t("Wider")} disabled=${zoom === 0} onClick=${() => nearer(-1)}>−</button>
      <button type="button" aria-label=${t("Nearer")} disabled=${zoom === ZOOMS.length - 1} onClick=${() => nearer(1)}>+</button>
    </div>
  </section>`;
}
