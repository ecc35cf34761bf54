// What the keys do. One table: the help reads it, too.

import { isDoubtful, heardIn, DOUBT } from "./film-check.js";
import { t } from "./words.js";

/**
 * `keys`: as shown; `code` (the place on the keyboard, so that it holds for every layout) with its modifiers, outside
 * of a text; `anywhere`: the same while somebody writes.
 */
const TABLE = [
  { does: "toggle", keys: ["Space", "Ctrl Space"], name: () => t("play, pause") },
  { does: "repeat", keys: ["R", "Alt R"], name: () => t("play this cue again") },
  { does: "previous", keys: ["↑", "Alt ↑"], name: () => t("previous cue") },
  { does: "next", keys: ["↓", "Alt ↓"], name: () => t("next cue") },
  { does: "back", keys: ["←", "Alt ←"], name: () => t("one second back") },
  { does: "ahead", keys: ["→", "Alt →"], name: () => t("one second on") },
  { does: "write", keys: ["Enter"], name: () => t("write in this cue") },
  { does: "leave", keys: [null, "Esc"], name: () => t("leave the text") },
  { does: "setIn", keys: ["I", "Alt I"], name: () => t("it begins here") },
  { does: "setOut", keys: ["O", "Alt O"], name: () => t("it ends here") },
  { does: "inEarlier", keys: [",", "Alt ,"], name: () => t("it begins one frame earlier") },
  { does: "inLater", keys: [".", "Alt ."], name: () => t("it begins one frame later") },
  { does: "outEarlier", keys: ["Shift ,", "Alt Shift ,"], name: () => t("it ends one frame earlier") },
  { does: "outLater", keys: ["Shift .", "Alt Shift ."], name: () => t("it ends one frame later") },
  { does: "split", keys: ["S", "Ctrl Enter"], name: () => t("split at the caret, or at this moment") },
  { does: "merge", keys: ["M", "Ctrl M"], name: () => t("merge with the next") },
  { does: "insert", keys: ["N", "Alt N"], name: () => t("new cue at this moment") },
  { does: "remove", keys: ["Delete", null], name: () => t("delete this cue") },
  { does: "move", keys: ["T", "Alt T"], name: () => t("move the times of this cue and all after it") },
  { does: "undo", keys: ["Ctrl Z", null], name: () => t("undo") },
  { does: "redo", keys: ["Ctrl Shift Z", null], name: () => t("redo") },
  { does: "doubtful", keys: ["F8", "F8"], name: () => t("next doubtful word") },
  { does: "finding", keys: ["F9", "F9"], name: () => t("next finding") },
  { does: "suggested", keys: ["F7", "F7"], name: () => t("next suggested sound: Enter accepts it, Delete refuses it") },
  { does: "accept", keys: ["A", null], name: () => t("accept the film") },
  { does: "help", keys: ["?", "F1"], name: () => t("these keys") },
];

export const KEYS = TABLE.map(({ keys, name }) => ({ keys: [...new Set(keys.filter(Boolean))], name }));

const CODES = {
  ",": "Comma", ".": "Period", "↑": "ArrowUp", "↓": "ArrowDown", "←": "ArrowLeft", "→": "ArrowRight",
  Esc: "Escape", Space: "Space", Enter: "Enter", Delete: "Delete", "?": "?", F1: "F1", F7: "F7", F8: "F8", F9: "F9",
};

function pressed(written) {
  const parts = written.split(" ");
  const key = parts.pop();
  const code = CODES[key] ?? `Key${key}`;
  return [...parts.sort(), code].join(" ");
}

const OUTSIDE = new Map(TABLE.filter(({ keys }) => keys[0]).map(({ does, keys }) => [pressed(keys[0]), does]));
const INSIDE = new Map(
  TABLE.flatMap(({ does, keys }) => (keys[1] ? [[pressed(keys[1]), does]] : [])),
);
for (const [keys, does] of INSIDE) if (!OUTSIDE.has(keys)) OUTSIDE.set(keys, does);

function named(event) {
  if (event.key === "?") return "?";
  const with_ = [];
  if (event.altKey) with_.push("Alt");
  if (event.ctrlKey || event.metaKey) with_.push("Ctrl");
  if (event.shiftKey) with_.push("Shift");
  return [...with_, event.code === "NumpadEnter" ? "Enter" : event.code].join(" ");
}

const SECOND = 1000;

/** Everything that can be done to a film, by a key or a button; `heed` takes a key press. */
export function keysOf({ desk, video, editor, now, seek, pick, latest, open, suggested }) {
  const cue = () => latest().cue;
  const frame = () => latest().frame_ms;
  const times = (more) => {
    const { id, start, end } = cue();
    const to = { start, end, ...more };
    to.start = Math.max(0, Math.round(to.start));
    to.end = Math.round(to.end);
    if (to.end > to.start) desk.draft(id, to);
  };
  const step = (by) => {
    const { cues, place } = latest();
    const to = cues[Math.max(0, Math.min(cues.length - 1, place + by))];
    if (to) pick(to.id, { write: editor.current?.isWriting() });
  };
  /** The next cue after this one, and round again, for which `is` holds. */
  const search = (is) => {
    const { cues, place } = latest();
    for (let ahead = 1; ahead <= cues.length; ahead += 1) {
      const to = cues[(place + ahead) % cues.length];
      if (is(to)) return to;
    }
    return null;
  };
  const chosenAfter = (to) => (done) => done && to !== undefined && pick(to, { jump: false });
  let until = 0;
  const does = {
    seek,
    toggle: () => (video.current.paused ? video.current.play().catch(() => {}) : video.current.pause()),
    repeat() {
      const { start, end } = cue();
      seek(start);
      video.current.play().catch(() => {});
      clearInterval(until);
      until = setInterval(() => {
        if (video.current.paused || now() < start - SECOND) clearInterval(until);
        else if (now() >= end) {
          clearInterval(until);
          video.current.pause();
          seek(end - 1); // still the same cue
        }
      }, 15);
    },
    previous: () => step(-1),
    next: () => step(1),
    back: () => seek(now() - SECOND),
    ahead: () => seek(now() + SECOND),
    write: () => editor.current?.focus(),
    leave: () => editor.current?.blur(),
    setIn: () => times({ start: now() }),
    setOut: () => times({ end: now() }),
    inEarlier: () => times({ start: cue().start - frame() }),
    inLater: () => times({ start: cue().start + frame() }),
    outEarlier: () => times({ end: cue().end - frame() }),
    outLater: () => times({ end: cue().end + frame() }),
    async split() {
      const { id, start, end } = cue();
      const writing = editor.current.isWriting();
      if (writing) await desk.act([{ do: "split", cue: id, caret: editor.current.caret() }]);
      else if (now() > start && now() < end) await desk.act([{ do: "split", cue: id, at: now() }]);
    },
    async merge() {
      const { id } = cue();
      chosenAfter(id)(await desk.act([{ do: "merge", cue: id }]));
    },
    async insert() {
      const text = "…";
      const before = new Set(latest().cues.map((each) => each.id));
      if (!(await desk.act([{ do: "insert", start: now(), lines: [text] }]))) return;
      const made = desk.get().cues.find((each) => !before.has(each.id));
      if (made) pick(made.id, { jump: false, select: [0, text.length] });
    },
    async remove() {
      const { cues, place } = latest();
      const { id } = cue();
      chosenAfter((cues[place + 1] ?? cues[place - 1])?.id)(await desk.act([{ do: "delete", cue: id }]));
    },
    undo: () => desk.step("undo"),
    redo: () => desk.step("redo"),
    doubtful() {
      const to = search(isDoubtful);
      if (!to) return;
      const lines = heardIn(to);
      // The first word that was doubted, as letters of the text.
      let at = 0;
      for (const words of lines) {
        for (const { text, word } of words) {
          if (word?.confidence != null && word.confidence < DOUBT) {
            pick(to.id, { select: [at, at + text.length] });
            return;
          }
          at += text.length + 1;
        }
      }
      pick(to.id); // the word was doubted and does not stand there as it was heard
    },
    finding() {
      const to = search((each) => latest().byCue.has(each.id));
      if (to) pick(to.id);
    },
    suggested,
    move: () => open("move"),
    accept: () => open("accept"),
    help: () => open("help"),
    heed(event) {
      if (event.defaultPrevented || event.isComposing || event.getModifierState("AltGraph")) return;
      if (document.querySelector("dialog[open]")) return;
      const written = event.target.matches?.("input, textarea, select");
      const onButton = event.target.matches?.("button, a") && ["Enter", "Space"].includes(event.code);
      const name = (written ? INSIDE : OUTSIDE).get(named(event));
      if (!name || (onButton && !event.target.matches(".cue"))) return;
      if (!cue() && !["help", "toggle", "undo", "redo", "insert", "back", "ahead", "suggested"].includes(name)) return;
      event.preventDefault();
      does[name]();
    },
  };
  return does;
}
