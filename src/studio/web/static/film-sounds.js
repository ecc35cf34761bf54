// Sounds that were suggested: rows among the cues until a person accepts or refuses them.

import { useLayoutEffect, useRef } from "/vendor/hooks.js";
import { html } from "./parts.js";
import { stamp, t } from "./words.js";

/** Cues and suggested sounds by time. */
export const amongCues = (cues, sounds) => [...cues, ...sounds].sort((one, other) => one.start - other.start);

export const isSound = (item) => item.label !== undefined;

/** The place in `sounds` of the first that begins after `at`, and round again. */
export const soundAfter = (sounds, at) => Math.max(0, sounds.findIndex((sound) => sound.start > at));

export function Sound({ sound, chosen, language, onSeek, onAnswer }) {
  const accept = useRef(null);
  useLayoutEffect(() => { // before the next key, which is meant for it
    if (chosen) accept.current.focus({ preventScroll: true });
  }, [chosen]);
  const heed = (event) => {
    if (event.key !== "Delete") return;
    event.preventDefault(); // it means this suggestion, not the cue that is chosen
    onAnswer("refuse", sound);
  };
  return html`<div class="sound ${chosen ? "current" : ""}" data-sound=${sound.id} onKeyDown=${heed}>
    <button type="button" class="times" tabindex="-1" onClick=${() => onSeek(sound)}>${stamp(sound.start)}<br />${stamp(sound.end)}</button>
    <span class="text"><span lang=${language}>${sound.label}</span><small>${t("suggested")}, ${Math.round(sound.share * 100)} %</small></span>
    <button type="button" ref=${accept} onClick=${() => onAnswer("accept", sound)}>${t("Accept")}</button>
    <button type="button" onClick=${() => onAnswer("refuse", sound)}>${t("Refuse")}</button>
  </div>`;
}
