// The last lines of what is said, while it is said: for a page of words alone, and over the instant picture.

import { useLayoutEffect, useRef } from "/vendor/hooks.js";
import { showNow } from "./link.js";
import { html } from "./parts.js";
import { useTick } from "./store.js";

const QUIET = 8000; // ms after the last word, when the lines go
const TICK = 500; // ms
const asked = new URLSearchParams(location.search);

/** The number that the address gives as `name`, within bounds; `usual` where it gives none. */
export function within(name, usual, least, most) {
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

/**
 * `lines` rows of words, `size` hundredths of the page's height each, in `language` where there is a translation to
 * it. Nothing is left on the page once it has been quiet for a while.
 */
export function Spoken({ state, size, lines, language = asked.get("lang") }) {
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
  const translation = language !== null && language !== evening.language && (captions.translated ?? []).length > 0;
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
    if (!translation && starts.length > lines + 1) seen.since = starts.at(-lines - 1);
  });
  useLayoutEffect(() => {
    document.title = `● ${evening.title || "studio"}`;
    document.documentElement.lang = translation ? language : evening.language || "en";
  }, [evening.title, evening.language, translation]);
  const style = { fontSize: `min(${size}vh, ${size * 0.62}vw)`, height: `${lines * 1.25}em` };
  const silent = settled.length === 0 && !tentative;
  return html`<main class="spoken ${silent ? "silent" : ""}" style=${style}>
    <p ref=${text}>
      ${settled.map((word) => html`<span key=${word.id} data-start=${word.start}>${word.text}</span>${" "}`)}
      <span class="tentative">${tentative}</span>
    </p>
  </main>`;
}
