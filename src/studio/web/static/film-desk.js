// A film under somebody's hands: what the library has, what was typed since, and how the one gets into the other.
//
// What is typed is a draft of its cue, kept on this device until the library has it. A draft remembers how the cue
// read when it was begun: where the library's reads otherwise when it is saved, two people have changed one cue, and
// one of them chooses. One that the library refuses is not sent again until a person changes it or says so. Anything
// that changes which cues there are (split, merge, insert, delete, move, undo) waits until the drafts are saved.

import { draftsOf } from "./film-drafts.js";
import { store } from "./store.js";
import { t } from "./words.js";

const PAUSE = 700; // ms after the last key until it is saved
const AGAIN = 3000; // ms between two tries while studio does not answer
const AWAY = [0, 502, 503, 504]; // what is answered while studio is not there, by nobody or by a proxy before it
const WRONG = [400, 413, 422]; // what is sent cannot be; of several drafts the others may

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
 * read with drafts; `saving`: saved, unsaved, saving, lost, refused or conflict; `conflicts`: Map of cue → what stands in
 * the library; `refused`: Map of cue → why its draft cannot be saved; `offered`: drafts of an earlier visit that wait for a yes; `answer`: a sentence, or empty.
 */
export function deskOf(id, language) {
  const path = `/api/films/${encodeURIComponent(id)}`;
  const of = (what = "") => `${path}${what && `/${what}`}?language=${encodeURIComponent(language)}`;
  const nothing = { film: null, trouble: "", cues: [], saving: "saved", offered: null, answer: "" };
  const desk = store({ ...nothing, conflicts: new Map(), refused: new Map() });
  const places = draftsOf(`${id}.${language}`);
  const drafts = new Map(); // cue → {lines, start, end, before: {lines, start, end}}
  let stored = new Map(); // cue → as the library has it
  let order = [];
  let timer = 0;
  let busy = Promise.resolve();
  let changes = new Set(); // what was typed while a save was under way
  const refused = new Map();

  const set = (more) => desk.set({ ...desk.get(), ...more });
  const redraw = (more = {}) => {
    const cues = order.map((cue) => (drafts.has(cue.id) ? { ...cue, ...facts(drafts.get(cue.id)), draft: true } : cue));
    for (const cue of refused.keys()) if (!drafts.has(cue)) refused.delete(cue);
    set({ cues, refused: new Map(refused), ...more });
  };
  /** How far the drafts are, while none of them is on its way. */
  const standing = () => {
    if (desk.get().conflicts.size) return "conflict";
    if (refused.size) return "refused";
    return drafts.size ? "unsaved" : "saved";
  };
  const keep = () => places.keep(drafts);
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
    redraw({ conflicts });
    set({ saving: standing() });
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

  /**
   * Send `body` on top of the version we know; resolves to {became, reason}: done, conflict, wrong (it cannot be),
   * refused (for another reason), or lost. `anew` makes the edits once more where others were quicker; without, a person
   * does.
   */
  const send = async (what, body, anew) => {
    for (let tries = 0; tries < 3; tries += 1) {
      const { status, said } = await ask(of(what), { base: desk.get().version, by: myName(), ...body });
      if (status === 200) {
        take({ ...said, answer: "" });
        return { became: "done" };
      }
      if (status !== 409 || said.outcome !== "conflict") {
        const became = AWAY.includes(status) ? "lost" : WRONG.includes(status) ? "wrong" : "refused";
        return { became, reason: said.reason || t("Nobody confirmed this.") };
      }
      if (!(await load())) return { became: "lost", reason: desk.get().trouble };
      if (!settle()) return { became: "conflict", reason: "" };
      if (!anew) {
        return { became: "conflict", reason: t("Somebody else has changed this film meanwhile; look, and do it again.") };
      }
      body = { ...body, edits: anew() };
      if (body.edits.length === 0) return { became: "done" };
    }
    return { became: "lost", reason: t("Nobody confirmed this.") };
  };

  /** Save the drafts of `cues`, all or none of them. */
  const saveDrafts = async (cues) => {
    const edits = () => editsOf([...drafts].filter(([cue]) => cues.includes(cue)));
    const { became, reason } = edits().length ? await send("edit", { edits: edits() }, edits) : { became: "done" };
    if (became === "done") {
      for (const cue of cues) {
        // What was typed meanwhile builds on what was saved just now.
        if (!changes.has(cue)) drafts.delete(cue);
        else if (drafts.has(cue)) drafts.set(cue, { ...drafts.get(cue), before: facts(stored.get(cue) ?? drafts.get(cue)) });
      }
    } else if (became === "refused" || (became === "wrong" && cues.length === 1)) {
      for (const cue of cues) if (!changes.has(cue)) refused.set(cue, reason);
    }
    return { became, reason };
  };

  /** True where the library has all that was typed. */
  const save = async () => {
    clearTimeout(timer);
    if (desk.get().conflicts.size) return false;
    const cues = [...drafts.keys()].filter((cue) => !refused.has(cue));
    if (cues.length) {
      set({ saving: "saving" });
      changes = new Set();
      let last = await saveDrafts(cues);
      if (last.became === "wrong" && cues.length > 1) {
        // One of them holds up the others: each by itself.
        for (const cue of cues) {
          last = await saveDrafts([cue]);
          if (["lost", "conflict"].includes(last.became)) break;
        }
      }
      keep();
      redraw(last.became === "lost" ? { saving: "lost", answer: last.reason } : { saving: standing(), answer: "" });
      if (last.became === "lost") later(AGAIN);
      else if ([...drafts.keys()].some((cue) => !refused.has(cue))) later();
    }
    return drafts.size === 0;
  };
  /** Save drafts, then send what a person does beside them; true where the library has it. */
  const act = async (what, body) => {
    if (!(await save())) {
      if (refused.size) set({ answer: t("First say what becomes of the change that cannot be saved.") });
      return false;
    }
    const { became, reason } = await send(what, body);
    if (became !== "done") set({ answer: reason, saving: became === "lost" ? "lost" : desk.get().saving });
    return became === "done";
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
    const { drafts: left = [], places: gone = [] } = desk.get().offered ?? {};
    // What was typed since is newer.
    for (const [cue, draft] of left) if (!drafts.has(cue)) drafts.set(cue, draft);
    set({ offered: null });
    const free = settle();
    places.forget(gone); // they stand in our own place now
    if (free) queued(save);
  };
  places.follow((place) => {
    if (desk.get().offered?.places.includes(place)) set({ offered: places.left() });
  });

  return {
    ...desk,
    path,
    of,
    draftOf: (cue) => drafts.get(cue),
    async open() {
      const left = places.ask();
      if (!(await load())) return;
      const offered = await left;
      if (offered) set({ offered });
    },
    load: () => queued(load),
    restoreDrafts,
    dropOffered() {
      places.forget(desk.get().offered?.places ?? []);
      set({ offered: null });
    },
    /** `more` (lines, start, end) is how the cue reads from now on; saved by itself after a pause. */
    draft(cue, more) {
      const now = stored.get(cue);
      if (!now) return;
      const draft = drafts.get(cue) ?? { ...facts(now), before: facts(now) };
      drafts.set(cue, { ...draft, ...more });
      changes.add(cue);
      refused.delete(cue);
      keep();
      redraw();
      if (desk.get().saving !== "saving") set({ saving: standing() });
      later();
    },
    /** Save now. */
    flush: () => queued(save),
    /** Save drafts, then do `edits`; true where the library has them. */
    act: (edits) => queued(() => act("edit", { edits })),
    /** `undo`, `redo`, `restore` or `accept`, after drafts are saved. */
    step: (what, body = {}) => queued(() => act(what, body)),
    /** What was refused is tried once more, or let go. */
    again(cue) {
      refused.delete(cue);
      redraw();
      queued(save);
    },
    letGo(cue) {
      drafts.delete(cue);
      keep();
      redraw({ answer: "" });
      set({ saving: standing() });
    },
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
