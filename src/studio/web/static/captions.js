// Captions while they are spoken, and a person who puts words right before they air.

import { useEffect, useLayoutEffect, useRef, useState } from "/vendor/hooks.js";
import { command, showNow } from "./link.js";
import { Degraded, html, Pages, show } from "./parts.js";
import { useTick } from "./store.js";
import { t } from "./words.js";

const PAUSE = 1200; // ms of silence that begin a line
const LINE = 10; // words
const SHORT = 4; // words; a shorter sentence shares its line with the next
const TICK = 250; // ms
const CLOSES = 300; // ms before it airs, when the recogniser takes no correction any more
const HURRY = 2000; // ms before it airs
const AT_END = 120; // px; whoever has scrolled no further up follows what is said

const HANDS = {
  "second look": () => t("second look"),
  glossary: () => t("glossary"),
  person: () => t("a person"),
};

/** The words in lines that never break anew, whatever follows, goes, or is found between. */
function lineUp() {
  const lineOf = new Map(); // id of a word → id of the first word of its line
  return (script) => {
    const words = Object.entries(script)
      .map(([id, word]) => ({ id: Number(id), ...word }))
      .sort((one, other) => one.start - other.start || one.id - other.id);
    for (const id of [...lineOf.keys()]) if (!(id in script)) lineOf.delete(id);
    const lines = [];
    for (const word of words) {
      const last = lines.at(-1);
      if (!lineOf.has(word.id)) lineOf.set(word.id, last && continues(last.words, word) ? last.id : word.id);
      const mine = lineOf.get(word.id);
      if (last?.id === mine) last.words.push(word);
      else lines.push({ id: mine, words: [word] });
    }
    return lines;
  };
}

function continues(words, next) {
  const last = words.at(-1);
  const ended = words.length >= SHORT && /[.!?…]["”’)]?$/.test(last.text);
  return !ended && words.length < LINE && next.start - last.end < PAUSE;
}

const isOpen = (word, now) => now === null || word.airs - CLOSES > now;

function hint(word) {
  const hand = HANDS[word.by];
  if (!hand) return null;
  if (!word.heard) return t("By {hand}; nothing was heard", { hand: hand() });
  return t("By {hand}; heard: {heard}", { hand: hand(), heard: word.heard });
}

function Word({ word, now, selected, edited, onPick }) {
  const struck = word.text === "";
  const open = isOpen(word, now);
  const kind = word.by.replace(" ", "-");
  return html`<button
    type="button"
    class="word ${kind} ${struck ? "struck" : ""} ${edited ? "edited" : ""}"
    data-id=${word.id}
    title=${hint(word)}
    disabled=${!open}
    tabindex=${selected ? 0 : -1}
    onClick=${() => onPick(word.id)}
  >
    ${struck ? html`<s aria-label=${t("struck: {word}", { word: word.heard })}>${word.heard}</s>` : word.text}
  </button>`;
}

/** How long the next word of a line can still be corrected, as a figure and as a bar that shrinks. */
function Left({ words, now, hold }) {
  const open = words.filter((word) => isOpen(word, now));
  if (now === null) return html`<span class="left"></span>`;
  if (open.length === 0) return html`<span class="left over">${t("Aired")}</span>`;
  const left = Math.min(...open.map((word) => word.airs)) - CLOSES - now;
  const whole = t("{n} s", { n: Math.ceil(left / 1000) }); // outside of the template, where Babel finds it
  const share = Math.max(0, Math.min(1, left / Math.max(1, hold)));
  return html`<span class="left ${left < HURRY ? "hurry" : ""}">
    <span class="figure">${whole}</span>
    <span class="bar" aria-hidden="true"><span style=${{ transform: `scaleX(${share})` }}></span></span>
  </span>`;
}

function Line({ line, hold, selected, editing, onPick, onDone, live }) {
  const before = showNow();
  useTick(TICK, line.words.some((word) => isOpen(word, before)));
  const now = showNow();
  const edited = editing && line.words.find((word) => word.id === selected);
  const spoken = line.words.filter((word) => word.text || word.heard);
  return html`<li class="line ${line.words.some((word) => isOpen(word, now)) ? "open" : "aired"}">
    <${Left} words=${line.words} now=${now} hold=${hold} />
    <div class="words">
      ${spoken.map(
        (word) => html`<${Word} key=${word.id} word=${word} now=${now} selected=${word.id === selected}
          edited=${word === edited} onPick=${onPick} />${" "}`,
      )}
    </div>
    ${edited && html`<${Editor} key=${edited.id} word=${edited} open=${isOpen(edited, now)} first=${editing.first}
      onDone=${onDone} live=${live} />`}
  </li>`;
}

/** One word under a person's hands. `first`: the letter that opened it, which takes the word's place. */
function Editor({ word, open, first, onDone, live }) {
  const field = useRef(null);
  const [asked, setAsked] = useState("");
  const [answer, setAnswer] = useState("");
  useLayoutEffect(() => {
    field.current.value = first || word.text || word.heard;
    field.current.focus({ preventScroll: true });
    if (!first) field.current.select();
    field.current.closest("form").scrollIntoView({ block: "nearest" });
  }, []);
  const ask = async (name, values = {}) => {
    if (asked) return;
    setAsked(name);
    setAnswer("");
    const { outcome, reason } = await command(name, { id: word.id, by: "page", ...values });
    setAsked("");
    if (outcome === "confirmed") onDone();
    else setAnswer(reason || t("Nobody confirmed this."));
  };
  const save = (event) => {
    event.preventDefault();
    if (open) ask("captions.edit", { text: field.current.value });
  };
  const onKey = (event) => {
    if (event.key === "Escape") onDone();
    event.stopPropagation();
  };
  const idle = open && live;
  const doing = (name) => asked === name;
  return html`<form class="editor" onSubmit=${save} onKeyDown=${onKey}>
    <input ref=${field} aria-label=${t("What shall stand here")} maxlength="200" autocomplete="off" spellcheck=${true} />
    <div class="buttons">
      <button type="submit" disabled=${!idle} aria-busy=${doing("captions.edit")}>${t("Replace")}</button>
      <button type="button" disabled=${!idle} aria-busy=${doing("captions.strike")}
        onClick=${() => ask("captions.strike")}>${t("Strike")}</button>
      <button type="button" disabled=${!idle || word.by === "ears"} aria-busy=${doing("captions.restore")}
        onClick=${() => ask("captions.restore")}>${t("Restore")}</button>
      <button type="button" onClick=${onDone}>${t("Cancel")}</button>
    </div>
    <p class="answer" role="alert">${open ? answer : t("This word has aired and stays as it is.")}</p>
  </form>`;
}

/** The open word that a key leads to, of `lines`, from the one with number `from`. */
function neighbour(key, lines, from, now) {
  const open = lines.map((line) => line.words.filter((word) => isOpen(word, now) && (word.text || word.heard)));
  const rows = open.filter((words) => words.length > 0);
  const all = rows.flat();
  if (all.length === 0) return null;
  const place = all.findIndex((word) => word.id === from);
  if (place < 0) return ["ArrowLeft", "ArrowUp", "End"].includes(key) ? all.at(-1).id : all[0].id;
  const row = rows.findIndex((words) => words.some((word) => word.id === from));
  const along = rows[row].findIndex((word) => word.id === from);
  const above = rows[row + (key === "ArrowUp" ? -1 : 1)];
  switch (key) {
    case "ArrowLeft":
      return all[Math.max(0, place - 1)].id;
    case "ArrowRight":
      return all[Math.min(all.length - 1, place + 1)].id;
    case "Home":
      return all[0].id;
    case "End":
      return all.at(-1).id;
    default:
      return above ? above[Math.min(along, above.length - 1)].id : from;
  }
}

const MOVES = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"];

function CaptionsPage({ state, live, languages }) {
  const { show: evening = {}, links = {}, programme = {}, captions = {} } = state;
  const line = useRef(null);
  line.current ??= lineUp();
  const lines = line.current(captions.script ?? {});
  const list = useRef(null);
  const latest = useRef({});
  const wanted = useRef(null); // the word that gets the focus once it is drawn: before the next key is heard
  const [selected, setSelected] = useState(null);
  const [editing, setEditing] = useState(null);
  const [answer, setAnswer] = useState("");
  const [following, setFollowing] = useState(true);

  const focus = (id) => {
    wanted.current = id;
    setSelected(id);
  };
  const edit = (id, first = "") => {
    wanted.current = null;
    setAnswer("");
    setSelected(id);
    setEditing({ first });
  };
  const done = () => {
    setEditing(null);
    const open = lines.flatMap((each) => each.words).find((word) => word.id === selected && isOpen(word, showNow()));
    const next = open ? selected : neighbour("Home", lines, null, showNow());
    if (next !== null) focus(next);
  };
  const quickly = async (name, id) => {
    setAnswer("");
    const { outcome, reason } = await command(name, { id, by: "page" });
    if (outcome !== "confirmed") setAnswer(reason || t("Nobody confirmed this."));
  };
  const onKey = (event) => {
    const elsewhere = event.target !== document.body && !list.current?.contains(event.target);
    // AltGr, which is Ctrl and Alt on some systems, writes ż and ą.
    const letter = event.getModifierState("AltGraph");
    if (editing || elsewhere || (event.altKey && !letter)) return;
    const now = showNow();
    const word = lines.flatMap((each) => each.words).find((each) => each.id === selected && isOpen(each, now));
    const command = (event.ctrlKey || event.metaKey) && !letter;
    if (MOVES.includes(event.key)) {
      const next = neighbour(event.key, lines, word ? selected : null, now);
      if (next !== null) focus(next);
    } else if (!word) {
      return;
    } else if (event.key === "Enter") {
      edit(word.id);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      quickly("captions.strike", word.id);
    } else if (command && event.key.toLowerCase() === "z") {
      quickly("captions.restore", word.id);
    } else if (!command && event.key.length === 1 && event.key !== " ") {
      edit(word.id, event.key);
    } else {
      return;
    }
    event.preventDefault();
  };
  latest.current.onKey = onKey;
  useLayoutEffect(() => {
    // Before anything is seen: who sees a word may press a key.
    const heed = (event) => latest.current.onKey(event);
    window.addEventListener("keydown", heed);
    return () => window.removeEventListener("keydown", heed);
  }, []);

  const toEnd = () => list.current?.scrollTo({ top: list.current.scrollHeight });
  const onScroll = () => {
    const { scrollHeight, scrollTop, clientHeight } = list.current;
    setFollowing(scrollHeight - scrollTop - clientHeight < AT_END);
  };
  useLayoutEffect(() => {
    if (following && !editing) toEnd();
    if (wanted.current === null || editing) return;
    list.current?.querySelector(`[data-id="${wanted.current}"]`)?.focus();
    wanted.current = null;
  });
  useEffect(() => {
    document.title = `${t("Captions")} – ${evening.title || "studio"}`;
  });

  // A tab stop is always somewhere: where nothing is selected, at the first word that is still open.
  const words = lines.flatMap((each) => each.words);
  const kept = words.some((word) => word.id === selected && (editing || isOpen(word, showNow())));
  const stop = kept ? selected : neighbour("Home", lines, null, showNow());
  const silent = lines.length === 0 && !captions.tentative && links.recogniser?.state === "online";
  return html`
    <header class="top">
      <h1>${evening.title}</h1>
      <${Pages} />
      ${languages}
    </header>
    <main class="captions">
      ${captions.on === false && html`<p class="quiet">${captions.why || t("Captions are switched off in this show.")}</p>`}
      <${Degraded} sentence=${captions.degraded || links.recogniser?.detail} />
      <div class="scroll" ref=${list} onScroll=${onScroll} lang=${evening.language === "auto" ? null : evening.language}>
        <ul class="lines" aria-label=${t("What was said")}>
          ${lines.map(
            (each) => html`<${Line} key=${each.id} line=${each} hold=${programme.hold_ms} selected=${stop}
              editing=${editing} onPick=${edit} onDone=${done} live=${live} />`,
          )}
        </ul>
        <p class="tentative">${captions.tentative}</p>
        ${silent && captions.on !== false && html`<p class="quiet">${captions.words ? t("Nobody speaks.") : t("Nobody has spoken yet.")}</p>`}
      </div>
      ${!following &&
      html`<button type="button" class="newest" onClick=${toEnd}><span aria-hidden="true">↓ </span>${t("Newest")}</button>`}
      <p class="answer" role="alert">${answer}</p>
    </main>
    <footer class="legend">
      <p class="keys">
        <kbd>←</kbd> <kbd>→</kbd> <kbd>↑</kbd> <kbd>↓</kbd> ${t("choose a word")} · <kbd>Enter</kbd> ${t("replace")} ·
        ${" "}<kbd>Delete</kbd> ${t("strike")} · <kbd>Ctrl</kbd> <kbd>Z</kbd> ${t("restore")}
      </p>
      <p class="touch">${t("Touch a word to replace or strike it before it airs.")}</p>
      <p class="marks">
        ${Object.entries(HANDS).map(
          ([hand, name]) => html`<span key=${hand} class="word ${hand.replace(" ", "-")}">${name()}</span>${" "}`,
        )}
      </p>
    </footer>
  `;
}

show(CaptionsPage);
