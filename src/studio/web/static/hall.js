// Captions at once, for a projector beside the stage: what is said and nothing else.
// /hall?size=10&lines=3&lang=en: the letters' size in hundredths of the height, how many lines, and `en` for the
// translation where the show has one.

import { useLayoutEffect, useRef } from "/vendor/hooks.js";
import { showNow } from "./link.js";
import { html, show } from "./parts.js";
import { useTick } from "./store.js";

const QUIET = 8000; // ms after the last word, when the lines go
const TICK = 500; // ms
const asked = new URLSearchParams(location.search);
const SIZE = within("size", 10, 2, 40);
const LINES = Math.round(within("lines", 3, 1, 10));
const LANGUAGE = asked.get("lang");

function within(name, usual, least, most) {
  const value = Number.parseFloat(asked.get(name));
  return Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : usual;
}

/** What is shown of `captions`: pieces of text by number, in order, from `since` on; and what is not settled yet. */
function pieces(captions, since, translation) {
  if (translation) {
    const cues = (captions.translated ?? []).map((cue) => ({ id: cue.number, text: cue.lines.join(" "), ...cue }));
    return { settled: cues.filter((cue) => cue.start >= since), tentative: "" };
  }
  const words = Object.entries(captions.script ?? {})
    .map(([id, word]) => ({ id: Number(id), ...word }))
    .filter((word) => word.text && word.start >= since)
    .sort((one, other) => one.start - other.start || one.id - other.id);
  return { settled: words, tentative: captions.tentative ?? "" };
}

function HallPage({ state }) {
  useTick(TICK);
  const text = useRef(null);
  const memory = useRef({ epoch: null, since: null, tentative: "", heard: -Infinity });
  const { captions = {}, show: evening = {} } = state ?? {};
  const now = showNow();
  const seen = memory.current;
  if (seen.epoch !== evening.epoch_ms) {
    // Another show, whose clock began anew.
    Object.assign(seen, { epoch: evening.epoch_ms, since: null, heard: -Infinity });
  }
  if (now !== null) seen.since ??= now - QUIET;
  const translation = LANGUAGE !== null && LANGUAGE !== evening.language && (captions.translated ?? []).length > 0;
  let { settled, tentative } = pieces(captions, seen.since ?? 0, translation);
  if (tentative !== seen.tentative) {
    seen.tentative = tentative;
    if (tentative) seen.heard = now ?? 0;
  }
  const last = Math.max(seen.heard, settled.at(-1)?.end ?? -Infinity);
  if (now !== null && now - last > QUIET) {
    seen.since = Math.max(seen.since, settled.at(-1)?.end ?? 0); // whoever speaks next begins a line
    settled = [];
    tentative = "";
  }
  useLayoutEffect(() => {
    // What has left the screen goes in whole lines, so that those which stand do not break anew.
    const rows = new Map();
    for (const word of text.current.querySelectorAll("[data-start]")) {
      if (!rows.has(word.offsetTop)) rows.set(word.offsetTop, Number(word.dataset.start));
    }
    const starts = [...rows.values()];
    if (!translation && starts.length > LINES + 1) seen.since = starts.at(-LINES - 1);
  });
  useLayoutEffect(() => {
    document.title = `● ${evening.title || "studio"}`;
    document.documentElement.lang = translation ? LANGUAGE : evening.language || "en";
  }, [evening.title, evening.language, translation]);
  const size = { fontSize: `min(${SIZE}vh, ${SIZE * 0.62}vw)`, height: `${LINES * 1.25}em` };
  return html`<main class="hall" style=${size}>
    <p ref=${text}>
      ${settled.map((word) => html`<span key=${word.id} data-start=${word.start}>${word.text}</span>${" "}`)}
      <span class="tentative">${tentative}</span>
    </p>
  </main>`;
}

show(HallPage, { bare: true });
