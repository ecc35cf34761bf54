// What the encoder sends, within a fraction of a second: for a projector, a monitor backstage, a preview.
// /instant?captions=1&size=7&lines=2&lang=en: the words of the page for the hall over it, as large and as many.

import { useEffect, useRef, useState } from "/vendor/hooks.js";
import { html, show } from "./parts.js";
import { Spoken, within } from "./spoken.js";
import { useStore } from "./store.js";
import { language, remembered, speak, t } from "./words.js";

const PROGRAMME = "/instant.mp4";
const CUSHION = 0.12; // s between what is shown and the newest: less, and every stumble shows
const DRIFT = 0.35; // s behind the newest after which it plays a little faster
const LAG = 1; // s behind after which it hops
const FASTER = 1.06; // nobody hears it
const AGAIN = 700; // ms until it is called again
const SILENCE = 3000; // ms without a byte after which the line is given up, for it may be dead
const BEHIND = 10; // s of the past that are kept
const HINT = 6000; // ms that a word about the sound stands, after the pointer moved

const CAPTIONS = new URLSearchParams(location.search).get("captions") === "1";
const SIZE = within("size", 7, 2, 40);
const LINES = Math.round(within("lines", 2, 1, 10));

const happens = (target, name) => new Promise((done) => target.addEventListener(name, done, { once: true }));

/** Keep the newest picture in sight. */
function keepUp(video) {
  const { buffered } = video;
  if (buffered.length === 0) return;
  const end = buffered.end(buffered.length - 1);
  const start = buffered.start(buffered.length - 1);
  const lag = end - video.currentTime;
  if (lag > LAG || video.currentTime < start) {
    video.currentTime = Math.max(start, end - CUSHION);
    video.playbackRate = 1;
  } else if (lag > DRIFT) {
    video.playbackRate = FASTER;
  } else if (lag < CUSHION * 1.5) {
    video.playbackRate = 1;
  }
  if (video.paused) video.play().catch(() => {}); // a browser that wants a click first gets it sooner or later
}

/** Play what one call gives, to its end; `told` why there is nothing, or with "" that there is. */
async function playOnce(video, told, ended) {
  const line = new AbortController();
  ended.addEventListener("abort", () => line.abort());
  const withSound = !video.muted; // the picture alone need not wait for sound, which comes in gusts
  const heard = () => !withSound && !video.muted && line.abort();
  video.addEventListener("volumechange", heard);
  let silence = setTimeout(() => line.abort(), SILENCE);
  try {
    const answer = await fetch(withSound ? PROGRAMME : `${PROGRAMME}?sound=0`, { signal: line.signal, cache: "no-store" });
    if (!answer.ok) {
      told((await answer.json()).why);
      return;
    }
    const kind = answer.headers.get("Content-Type");
    if (!window.MediaSource?.isTypeSupported(kind)) {
      told(t("This browser cannot play the programme; try a newer one."));
      return;
    }
    const source = new MediaSource();
    video.src = URL.createObjectURL(source);
    await happens(source, "sourceopen");
    URL.revokeObjectURL(video.src);
    const buffer = source.addSourceBuffer(kind);
    const reader = answer.body.getReader();
    while (!video.error) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(silence);
      silence = setTimeout(() => line.abort(), SILENCE);
      buffer.appendBuffer(value);
      await happens(buffer, "updateend");
      keepUp(video);
      if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) told("");
      const past = video.currentTime - BEHIND;
      if (buffer.buffered.length > 0 && buffer.buffered.start(0) < past - BEHIND) {
        buffer.remove(0, past);
        await happens(buffer, "updateend");
      }
    }
  } finally {
    clearTimeout(silence);
    video.removeEventListener("volumechange", heard);
    line.abort();
  }
}

async function play(video, told, ended) {
  while (!ended.aborted) {
    try {
      await playOnce(video, told, ended);
    } catch (problem) {
      // The line was lost, or the browser did not like a piece: what is there stays in sight until the next call.
      if (problem.name === "TypeError") told(t("No connection to studio."));
    }
    await new Promise((done) => setTimeout(done, AGAIN));
  }
}

function InstantPage({ state }) {
  const video = useRef(null);
  const [why, setWhy] = useState("");
  const [muted, setMuted] = useState(true);
  const [hint, setHint] = useState(true);
  useStore(language);
  const evening = state?.show ?? {};
  useEffect(() => {
    if (evening.interface || remembered()) speak(remembered() ?? evening.interface);
  }, [evening.interface]);
  useEffect(() => {
    const ended = new AbortController();
    play(video.current, setWhy, ended.signal);
    return () => ended.abort();
  }, []);
  useEffect(() => {
    let timer = setTimeout(() => setHint(false), HINT);
    const moved = () => {
      setHint(true);
      clearTimeout(timer);
      timer = setTimeout(() => setHint(false), HINT);
    };
    document.addEventListener("pointermove", moved);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("pointermove", moved);
    };
  }, []);
  useEffect(() => {
    document.title = `${t("Instant picture")} – ${evening.title || "studio"}`;
  });
  const fill = () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen());
  return html`<div class="instant ${hint ? "" : "still"}" onClick=${() => setMuted(!muted)} onDblClick=${fill}>
    <video ref=${video} muted=${muted} playsinline autoplay></video>
    ${why && html`<p class="why" role="status">${why}</p>`}
    ${hint && !why && html`<p class="hint">${muted ? t("Click for sound.") : t("Click to mute.")}</p>`}
    ${CAPTIONS && html`<${Spoken} state=${state} size=${SIZE} lines=${LINES} />`}
  </div>`;
}

show(InstantPage, { bare: true });
