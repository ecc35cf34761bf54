// The cue that is being written: its lines, its times, and how it stands against the profile as it is typed.

import { useImperativeHandle, useLayoutEffect, useRef } from "/vendor/hooks.js";
import { characters, check, heardIn, speed, surety } from "./film-check.js";
import { html, Shape } from "./parts.js";
import { measured, parseStamp, seconds, stamp, t } from "./words.js";

const linesOf = (text) => text.split("\n").map((line) => line.replace(/\s+/g, " ").trim()).filter(Boolean);

function Time({ name, value, onChange }) {
  const field = useRef(null);
  const shown = stamp(value);
  useLayoutEffect(() => {
    if (document.activeElement !== field.current) field.current.value = shown;
  }, [shown]);
  const change = () => {
    const at = parseStamp(field.current.value);
    if (at === null) field.current.value = shown;
    else if (at !== value) onChange(at);
  };
  return html`<label class="time">
    <span>${name}</span>
    <input ref=${field} size="11" spellcheck=${false} autocomplete="off" onBlur=${change}
      onKeyDown=${(event) => event.key === "Enter" && change()} />
  </label>`;
}

/** How near a line or a speed is to what fits, as a bar and a figure. */
function Meter({ name, value, most, shown }) {
  const over = value > most + 0.05;
  return html`<span class="meter ${over ? "over" : ""}" title=${name}>
    <span class="track" aria-hidden="true"><span style=${{ transform: `scaleX(${Math.min(1, value / (most * 1.25))})` }}></span></span>
    <span>${shown}</span>
  </span>`;
}

export function Editor({ api, wanted, cue, next, rules, findings = [], does, onDraft, language }) {
  const field = useRef(null);
  const written = cue.lines.join("\n");
  useLayoutEffect(() => {
    // What somebody is typing is never taken away under their fingers: a line break at the end is no line yet.
    if (linesOf(field.current.value).join("\n") !== written) field.current.value = written;
  }, [written]);
  const heed = (wish) => {
    if (wish?.cue !== cue.id) return;
    wanted.current = null;
    field.current.focus({ preventScroll: true });
    if (wish.select) field.current.setSelectionRange(...wish.select);
  };
  useLayoutEffect(() => heed(wanted.current));
  useImperativeHandle(api, () => ({
    heed,
    focus: () => field.current?.focus({ preventScroll: true }),
    blur: () => field.current?.blur(),
    isWriting: () => document.activeElement === field.current,
    /** Where the caret is in the lines as they are saved, joined by line breaks. */
    caret: () => linesOf(field.current.value.slice(0, field.current.selectionStart)).join("\n").length,
  }));
  const type = () => {
    const lines = linesOf(field.current.value);
    if (lines.length) onDraft({ lines });
  };
  const live = check(cue, next, rules);
  const said = live.length || cue.draft ? live : findings.map((each) => each.text);
  const fast = speed(cue);
  const words = heardIn(cue);
  const rate = t("Characters a second: {n}", { n: measured(fast) }); // outside of the template, where Babel finds it
  return html`<section class="editor" aria-label=${t("This cue")}>
    <div class="times-row">
      <${Time} name=${t("In")} value=${cue.start} onChange=${(start) => onDraft({ start: Math.min(start, cue.end - 1) })} />
      <${Time} name=${t("Out")} value=${cue.end} onChange=${(end) => onDraft({ end: Math.max(end, cue.start + 1) })} />
      <span class="quiet">${seconds(cue.end - cue.start)}</span>
      <${Meter} name=${rate} value=${fast} most=${rules.characters_per_second} shown=${rate} />
    </div>
    <div class="writing">
      <textarea ref=${field} rows=${Math.max(2, cue.lines.length)} lang=${language} aria-label=${t("What is read")} spellcheck=${true}
        onInput=${type} maxlength="500" defaultValue=${written}></textarea>
      <div class="counts" aria-hidden="true">
        ${cue.lines.map((line, nth) => html`<span key=${nth} class=${[...line].length > rules.line_characters ? "over" : ""}>${[...line].length}</span>`)}
      </div>
    </div>
    ${cue.words.length > 0 &&
    html`<p class="heard" lang=${language}>
      ${cue.words.map((word, nth) => html`<button type="button" tabindex="-1" key=${nth} class="word ${surety(word)}"
        title=${word.confidence == null ? null : `${Math.round(word.confidence * 100)} %`} onClick=${() => does.seek(word.start)}>${word.text}</button>${" "}`)}
    </p>`}
    <ul class="live" role="status">
      ${said.map((text) => html`<li key=${text}><${Shape} kind="warn" /> ${text}</li>`)}
      ${said.length === 0 && html`<li class="good"><${Shape} kind="good" /> ${t("Keeps to the profile.")}</li>`}
    </ul>
    <div class="buttons">
      <button type="button" tabindex="-1" onMouseDown=${(event) => event.preventDefault()} onClick=${does.split}>${t("Split")}</button>
      <button type="button" tabindex="-1" onClick=${does.merge} disabled=${!next}>${t("Merge with next")}</button>
      <button type="button" tabindex="-1" onClick=${does.insert}>${t("Insert")}</button>
      <button type="button" tabindex="-1" onClick=${does.remove}>${t("Delete")}</button>
      <button type="button" tabindex="-1" onClick=${does.move}>${t("Move times")}</button>
    </div>
  </section>`;
}
