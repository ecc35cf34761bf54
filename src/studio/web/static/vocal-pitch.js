// How high one microphone is sung, against the melody: a line of the last seconds, and one large figure.

import { useEffect, useRef } from "/vendor/hooks.js";
import { html, Panel } from "./parts.js";
import { t } from "./words.js";

const SPAN = 8; // seconds that are drawn
const REACH = 100; // cents above and below
const NEAR = 25; // cents that nobody hears
const FAR = 50; // cents that everybody hears
const LEAP = 60; // cents from one value to the next that no line joins
const FIGURE = 30; // values, half a second, that the figure is the median of

const VOICES = {
  bass: () => t("bass"),
  tenor: () => t("tenor"),
  alto: () => t("alto"),
  soprano: () => t("soprano"),
  child: () => t("child"),
};

const nameOf = (note) => {
  const names = t("C C♯ D D♯ E F F♯ G G♯ A A♯ B").split(" ");
  const near = Math.round(note);
  return `${names[near % 12]}${Math.floor(near / 12) - 1}`;
};
const kindOf = (cents) => (Math.abs(cents) <= NEAR ? "good" : Math.abs(cents) <= FAR ? "warn" : "bad");
const median = (values) => [...values].sort((one, other) => one - other)[values.length >> 1];
const signed = (cents) => `${cents > 0 ? "+" : cents < 0 ? "−" : "±"}${Math.abs(cents)}`;

/** Draw `values`, [frame, note, cents], the newest at the right edge. */
function draw(canvas, values, rate) {
  const paint = canvas.getContext("2d");
  const scale = devicePixelRatio;
  const [wide, high] = [Math.round(canvas.clientWidth * scale), Math.round(canvas.clientHeight * scale)];
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  const colour = (name) => getComputedStyle(canvas).getPropertyValue(`--${name}`);
  const at = (cents) => high / 2 - (Math.max(-REACH, Math.min(REACH, cents)) / REACH) * (high / 2 - 6 * scale);
  paint.clearRect(0, 0, wide, high);
  paint.fillStyle = "rgb(99 201 143 / 12%)";
  paint.fillRect(0, at(NEAR), wide, at(-NEAR) - at(NEAR));
  paint.font = `${14 * scale}px system-ui, sans-serif`;
  paint.textBaseline = "bottom";
  for (const cents of [FAR, 0, -FAR]) {
    paint.fillStyle = colour(cents ? "edge" : "soft");
    paint.fillRect(0, at(cents), wide, cents ? scale : 2 * scale);
    paint.fillStyle = colour("soft");
    paint.fillText(cents ? signed(cents) : "0", 6 * scale, at(cents) - 2 * scale);
  }
  const newest = values.at(-1)?.[0] ?? 0;
  const x = (frame) => wide - ((newest - frame) / rate / SPAN) * wide;
  paint.lineWidth = 5 * scale;
  paint.lineCap = "round";
  let before = null;
  for (const [frame, , cents] of values) {
    if (cents !== null && before !== null && Math.abs(cents - before[1]) < LEAP) {
      paint.strokeStyle = colour(kindOf(cents));
      paint.beginPath();
      paint.moveTo(x(before[0]), at(before[1]));
      paint.lineTo(x(frame), at(cents));
      paint.stroke();
    }
    before = cents === null ? null : [frame, cents];
  }
}

export function Pitch({ pitch, rate, tracks, voices, act }) {
  const canvas = useRef(null);
  const kept = useRef([]);
  const channel = pitch?.channel ?? null;
  useEffect(() => {
    kept.current = [];
  }, [channel]);
  useEffect(() => {
    if (!pitch || !canvas.current || !rate) return;
    const last = kept.current.at(-1)?.[0] ?? -1;
    const newest = pitch.values.at(-1)?.[0] ?? last;
    const old = newest < last ? [] : kept.current; // a recorder that was started again counts from the beginning
    const from = newest - SPAN * rate;
    kept.current = [...old, ...pitch.values.filter(([frame]) => frame > (old.at(-1)?.[0] ?? -1))].filter(([frame]) => frame >= from);
    draw(canvas.current, kept.current, rate);
  }, [pitch]);
  const sung = (pitch?.values ?? []).slice(-FIGURE).filter(([, note]) => note !== null);
  const off = sung.filter(([, , cents]) => cents !== null).map(([, , cents]) => cents);
  const cents = off.length ? Math.round(median(off)) : null;
  const follow = (next, voice) => act("/pitch", { channel: next, voice });
  const track = tracks.find((each) => each.channel === channel);
  const against = !pitch
    ? ""
    : pitch.trouble ||
      (pitch.reading
        ? t("The melody is being read …")
        : pitch.against
          ? t("In cents above the melody: {name}", { name: pitch.melody })
          : pitch.melody
            ? t("In cents beside the nearest semitone; during a take with backing or click, above the melody: {name}", { name: pitch.melody })
            : t("In cents beside the nearest semitone: the song has no melody. studio vocal song TITLE --melody FILE gives it one; so does a keeper that was sung to a backing."));
  return html`<${Panel} name="pitch" title=${t("Pitch")}>
    <div class="row">
      <label>${t("Microphone")}
        <select value=${channel ?? ""} onChange=${(event) => follow(event.target.value ? Number(event.target.value) : null, pitch?.voice ?? "")}>
          <option value="">${t("none")}</option>
          ${tracks.map((each) => html`<option key=${each.channel} value=${each.channel}>${each.name}</option>`)}
        </select>
      </label>
      <label>${t("Voice")}
        <select value=${pitch?.voice ?? ""} disabled=${channel === null} onChange=${(event) => follow(channel, event.target.value)}>
          <option value="">${t("any")}</option>
          ${voices.map((voice) => html`<option key=${voice} value=${voice}>${VOICES[voice]?.() ?? voice}</option>`)}
        </select>
      </label>
      ${channel !== null &&
      html`<output class="figure ${cents === null ? "off" : kindOf(cents)}">
        ${sung.length ? html`<strong>${nameOf(sung.at(-1)[1])}</strong> ${cents === null ? "–" : signed(cents)}` : "–"}
      </output>`}
    </div>
    ${channel !== null &&
    html`<canvas ref=${canvas} role="img" aria-label=${t("Pitch of {track}", { track: track?.name ?? channel })}></canvas>
      <p class="quiet">${against}</p>`}
  <//>`;
}
