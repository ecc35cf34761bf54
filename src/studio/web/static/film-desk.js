// A film under somebody's hands: what the library has, what was typed since, and how the one gets into the other.
//
// What is typed is a draft of its cue, kept on this device until the library has it. A draft remembers how the cue
// read when it was begun: where the library's reads otherwise when it is saved, two people have changed one cue, and
// one of them chooses. Anything that changes which cues there are (split, merge, insert, delete, undo) waits until
// the drafts are saved.

import { store } from "./store.js";
import { t } from "./words.js";

const PAUSE = 700; // ms after the last key until it is saved
const AGAIN = 3000; // ms between two tries while studio does not answer
const KEPT = "studio.film.";

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
const facts = ({ lines, start, end }) => ({ lines, start, end });

/** Send `body` (or nothing) to `path`; resolves to {status, said}, status 0 where nobody answered. Never rejects. */
export async function ask(path, body) {
  const post = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  try {
    const answer = await fetch(path, body === undefined ? {} : post);
    let said = {};
    try {
      said = await answer.json();
    } catch {
      // an answer without a body, or from something that is not studio
    }
    return { status: answer.status, said };
  } catch {
    return { status: 0, said: { reason: t("studio does not answer; what you typed is kept on this device.") } };
  }
}

function kept(name) {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "null");
  } catch {
    return null;
  }
}

/** The name that `accepted by` gets, as it was given last on this device. */
export function myName(name) {
  try {
    if (name !== undefined) localStorage.setItem("studio.name", name);
    return localStorage.getItem("studio.name") ?? "";
  } catch {
    return name ?? "";
  }
}

/**
 * Open the subtitles of the film `id` in `language` (empty: the one that is spoken in it). The store holds: `film` and all that `GET /api/films/ID` says, or `trouble`; `cues` as they
 * read with drafts; `saving`: saved, unsaved, saving, lost or conflict; `conflicts`: Map of cue → what stands in the
 * library; `offered`: drafts of an earlier visit that wait for a yes; `answer`: a sentence, or empty.
 */
export function deskOf(id, language) {
  const path = `/api/films/${encodeURIComponent(id)}`;
  const of = (what = "") => `${path}${what && `/${what}`}?language=${encodeURIComponent(language)}`;
  const desk = store({ film: null, trouble: "", cues: [], saving: "saved", conflicts: new Map(), offered: null, answer: "" });
  const name = `${KEPT}${id}.${language}`;
  const drafts = new Map(); // cue → {lines, start, end, before: {lines, start, end}}
  let stored = new Map(); // cue → as the library has it
  let order = [];
  let timer = 0;
  let busy = Promise.resolve();
  let changes = new Map(); // what was typed while a save was under way

  const set = (more) => desk.set({ ...desk.get(), ...more });
  const redraw = (more = {}) => {
    const cues = order.map((cue) => (drafts.has(cue.id) ? { ...cue, ...facts(drafts.get(cue.id)), draft: true } : cue));
    set({ cues, ...more });
  };
  const keep = () => {
    const offered = desk.get().offered; // nobody has said yet what becomes of them
    const all = new Map([...(offered?.drafts ?? []), ...drafts]);
    try {
      if (all.size === 0) localStorage.removeItem(name);
      else localStorage.setItem(name, JSON.stringify({ at: offered?.at ?? Date.now(), drafts: [...all] }));
    } catch {
      // storage is switched off or full: the page itself still has them
    }
  };
  const sorted = () => {
    order = [...stored.values()].sort((one, other) => one.start - other.start || one.id - other.id);
  };

  /** Take in what the library says: the whole film, or what is new since. */
  const take = (said) => {
    if (said.cues) stored = new Map(said.cues.map((cue) => [cue.id, cue]));
    for (const gone of said.removed ?? []) {
      stored.delete(gone);
      drafts.delete(gone);
    }
    for (const cue of said.changed ?? []) stored.set(cue.id, cue);
    for (const [cue, draft] of drafts) if (stored.has(cue) && same(facts(draft), facts(stored.get(cue)))) drafts.delete(cue);
    sorted();
    const { cues, changed, removed, ...rest } = said;
    redraw(rest);
  };

  /** Split drafts into those that can be saved as they are and those that another hand has overtaken. */
  const settle = () => {
    const conflicts = new Map();
    for (const [cue, draft] of drafts) {
      const now = stored.get(cue);
      if (!now) {
        conflicts.set(cue, null);
      } else if (!same(facts(now), draft.before)) {
        if (same(facts(now), facts(draft))) drafts.delete(cue);
        else conflicts.set(cue, now);
      }
    }
    keep();
    redraw({ conflicts, saving: conflicts.size ? "conflict" : drafts.size ? "unsaved" : "saved" });
    return conflicts.size === 0;
  };

  const load = async () => {
    const { status, said } = await ask(of());
    if (status !== 200) {
      set({ trouble: said.reason || t("This film cannot be opened.") });
      return false;
    }
    take({ ...said, trouble: "" });
    return true;
  };

  const editsOf = (wanted) => {
    const edits = [];
    for (const [cue, draft] of wanted) {
      const was = stored.get(cue);
      if (!was) continue;
      if (!same(draft.lines, was.lines)) edits.push({ do: "reword", cue, lines: draft.lines });
      if (draft.start !== was.start || draft.end !== was.end) {
        edits.push({ do: "retime", cue, start: draft.start, end: draft.end });
      }
    }
    return edits;
  };

  /** Send `edits` on top of the version we know; true where they stand in the library. */
  const send = async (what, body, lost) => {
    for (let tries = 0; tries < 3; tries += 1) {
      const { status, said } = await ask(of(what), { base: desk.get().version, by: myName(), ...body });
      if (status === 200) {
        take({ ...said, answer: "" });
        return true;
      }
      if (status === 409 && said.outcome === "conflict") {
        if (!(await load()) || !settle()) return false;
        if (what !== "edit" || lost) {
          set({ answer: t("Somebody else has changed this film meanwhile; look, and do it again.") });
          return false;
        }
        body = { ...body, edits: editsOf(drafts) };
        if (body.edits.length === 0) return true;
        continue;
      }
      set({ answer: said.reason || t("Nobody confirmed this."), saving: status === 0 ? "lost" : desk.get().saving });
      return false;
    }
    return false;
  };

  const save = async () => {
    clearTimeout(timer);
    if (drafts.size === 0) return true;
    if (desk.get().conflicts.size) return false;
    const edits = editsOf(drafts);
    if (edits.length === 0) {
      drafts.clear();
      keep();
      redraw({ saving: "saved" });
      return true;
    }
    set({ saving: "saving" });
    changes = new Map();
    const ok = await send("edit", { edits }, false);
    if (ok) {
      for (const cue of [...drafts.keys()]) {
        // What was typed meanwhile builds on what was saved just now.
        if (changes.has(cue)) drafts.set(cue, { ...drafts.get(cue), before: facts(stored.get(cue) ?? drafts.get(cue)) });
        else drafts.delete(cue);
      }
      keep();
      redraw({ saving: drafts.size ? "unsaved" : "saved" });
      if (drafts.size) later();
    } else if (!desk.get().conflicts.size) {
      if (desk.get().saving === "saving") set({ saving: "unsaved" });
      later(AGAIN);
    }
    return ok;
  };
  const queued = (work) => {
    busy = busy.then(work, work);
    return busy;
  };
  const later = (pause = PAUSE) => {
    clearTimeout(timer);
    timer = setTimeout(() => queued(save), pause);
  };

  const restoreDrafts = () => {
    // What was typed since is newer.
    for (const [cue, draft] of desk.get().offered?.drafts ?? []) if (!drafts.has(cue)) drafts.set(cue, draft);
    set({ offered: null });
    if (settle()) queued(save);
  };

  return {
    ...desk,
    path,
    of,
    draftOf: (cue) => drafts.get(cue),
    async open() {
      if (!(await load())) return;
      const offered = kept(name);
      if (offered?.drafts?.length) set({ offered });
    },
    load: () => queued(load),
    restoreDrafts,
    dropOffered() {
      set({ offered: null });
      keep();
    },
    /** `more` (lines, start, end) is how the cue reads from now on; saved by itself after a pause. */
    draft(cue, more) {
      const now = stored.get(cue);
      if (!now) return;
      const draft = drafts.get(cue) ?? { ...facts(now), before: facts(now) };
      drafts.set(cue, { ...draft, ...more });
      changes.set(cue, true);
      keep();
      redraw({ saving: desk.get().conflicts.size ? "conflict" : desk.get().saving === "saving" ? "saving" : "unsaved" });
      later();
    },
    /** Save now. */
    flush: () => queued(save),
    /** Save drafts, then do `edits`; true where the library has them. */
    act: (edits) =>
      queued(async () => {
        if (!(await save())) return false;
        return send("edit", { edits }, true);
      }),
    /** `undo`, `redo`, `restore` or `accept`, after drafts are saved. */
    step: (what, body = {}) =>
      queued(async () => {
        if (!(await save())) return false;
        return send(what, body, true);
      }),
    /** In a conflict: `mine` stays and is saved over theirs, or theirs stays and mine is let go. */
    resolve(cue, mine) {
      const now = stored.get(cue);
      if (mine && now) drafts.set(cue, { ...drafts.get(cue), before: facts(now) });
      else drafts.delete(cue);
      if (settle()) queued(save);
    },
    isDirty: () => drafts.size > 0,
  };
}
