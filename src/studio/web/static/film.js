// One film and its subtitles: the picture, the sound as a wave, the cues, and the one that is being written.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "/vendor/hooks.js";
import { isDoubtful, surety, heardIn } from "./film-check.js";
import { deskOf } from "./film-desk.js";
import { Accept, Conflicts, Help, Move, Offered, Refused, Saving, Versions } from "./film-dialogs.js";
import { Editor } from "./film-editor.js";
import { keysOf } from "./film-keys.js";
import { Picture } from "./film-picture.js";
import { amongCues, isSound, Sound, soundAfter } from "./film-sounds.js";
import { Wave } from "./film-wave.js";
import { html, Pages, Shape, showAlone } from "./parts.js";
import { Rows } from "./rows.js";
import { useStore } from "./store.js";
import { count, stamp, t } from "./words.js";

const ROW = 76; // px: two lines of text and the times
const asked = new URLSearchParams(location.search);
const desk = deskOf(location.pathname.split("/").at(-1), asked.get("language") ?? "");

/** The last cue that begins at or before `at` ms, as its place; -1 before the first. */
function placeAt(cues, at) {
  let low = 0;
  let high = cues.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cues[middle].start <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function Row({ cue, current, playing, findings, conflict, onPick }) {
  const lines = heardIn(cue);
  return html`<button
    type="button"
    class="cue ${current ? "current" : ""} ${playing ? "playing" : ""} ${cue.draft ? "draft" : ""}"
    aria-current=${current ? "true" : null}
    tabindex="-1"
    data-cue=${cue.id}
    onClick=${() => onPick(cue.id)}
  >
    <span class="times">${stamp(cue.start)}<br />${stamp(cue.end)}</span>
    <span class="text">
      ${lines.map(
        (words, nth) => html`<span class="line" key=${nth}>
          ${cue.speaker && nth === 0 && html`<b class="speaker">${cue.speaker}: </b>`}
          ${words.map(({ text, word }) => html`<span class=${cue.by === "machine" ? surety(word) : ""}>${text}</span>${" "}`)}
        </span>`,
      )}
    </span>
    <span class="marks">
      ${conflict && html`<${Shape} kind="bad" />`}
      ${findings && html`<span class="finding" title=${findings.map((each) => each.text).join("\n")}>
        <${Shape} kind="warn" />${findings.length > 1 ? findings.length : ""}
      </span>`}
      ${cue.by === "person" && html`<span class="hand" title=${t("By a person")}>✎</span>`}
    </span>
  </button>`;
}

function FilmPage({ languages }) {
  const state = useStore(desk);
  const video = useRef(null);
  const editor = useRef(null); // what the editor lets others do: focus, caret
  const wanted = useRef(null); // the cue that is to be written in as soon as it is drawn
  const [current, setCurrent] = useState(null);
  const [playing, setPlaying] = useState(null);
  const [sound, setSound] = useState(null); // the suggested one that is chosen
  const [dialog, setDialog] = useState("");
  const latest = useRef({});
  const { film, cues, rules, findings = [], sounds = [] } = state;

  const byCue = useMemo(() => {
    const found = new Map();
    for (const each of findings) found.set(each.cue, [...(found.get(each.cue) ?? []), each]);
    return found;
  }, [findings]);
  const broken = useMemo(() => new Set(byCue.keys()), [byCue]);
  const place = useMemo(() => cues.findIndex((cue) => cue.id === current), [cues, current]);
  const cue = place < 0 ? null : cues[place];
  const items = useMemo(() => amongCues(cues, sounds), [cues, sounds]);
  const shown = useMemo(
    () => items.findIndex((each) => (sound === null ? !isSound(each) && each.id === current : isSound(each) && each.id === sound)),
    [items, current, sound],
  );

  const seek = (at) => {
    if (video.current) video.current.currentTime = Math.max(0, at) / 1000;
  };
  /** Choose a cue; `select`: stretch of its text, which is to be written over. */
  const pick = (id, { jump = true, write = false, select = null } = {}) => {
    const to = desk.get().cues.find((each) => each.id === id);
    if (!to) return;
    if (write || select) wanted.current = { cue: id, select };
    setCurrent(id);
    setSound(null);
    if (jump) seek(to.start);
    editor.current?.heed(wanted.current);
  };

  const pickSound = (each) => {
    setSound(each.id);
    seek(each.start);
  };
  const answerSound = async (what, { id }) => {
    await desk.step("sounds", { [what]: [id] });
    setSound(null);
  };

  useEffect(() => {
    desk.open();
    const leaving = (event) => {
      if (!desk.isDirty()) return;
      desk.flush();
      event.preventDefault();
    };
    window.addEventListener("beforeunload", leaving);
    return () => window.removeEventListener("beforeunload", leaving);
  }, []);
  useEffect(() => {
    document.title = `${film?.title ?? t("Films")} – studio`;
  }, [film?.title]);
  useEffect(() => {
    // Where nothing is chosen yet: what the address asks for (a hit of the search), else the first cue.
    if (!film || current !== null || cues.length === 0) return;
    const at = Number(asked.get("at") ?? Number.NaN);
    setCurrent(cues[Number.isNaN(at) ? 0 : Math.max(0, placeAt(cues, at + 1))].id);
    if (!Number.isNaN(at)) seek(at);
  }, [film, cues, current]);
  useEffect(() => {
    if (current !== null && place < 0 && cues.length) setCurrent(cues[Math.max(0, placeAt(cues, now()))].id);
  }, [place, cues]);

  const now = () => Math.round((video.current?.currentTime ?? 0) * 1000);
  const follow = () => {
    const { cues: all, current: chosen } = latest.current;
    const at = now();
    const found = all[placeAt(all, at)];
    const here = found && at < found.end ? found.id : null;
    setPlaying(here);
    if (here !== null && here !== chosen && !video.current.paused && !editor.current?.isWriting()) setCurrent(here);
  };

  latest.current = { ...state, cue, place, byCue, current, sound };
  const does = useMemo(
    () =>
      keysOf({
        desk,
        video,
        editor,
        now,
        seek,
        pick,
        latest: () => latest.current,
        open: (name) => setDialog(name),
        suggested() {
          const { sounds: all = [], sound: chosen } = latest.current;
          if (all.length === 0) return;
          const here = all.find((each) => each.id === chosen);
          pickSound(all[soundAfter(all, here ? here.start : now())]);
        },
      }),
    [],
  );
  useLayoutEffect(() => {
    const heed = (event) => does.heed(event);
    window.addEventListener("keydown", heed);
    return () => window.removeEventListener("keydown", heed);
  }, []);

  if (!film) {
    return html`<header class="top"><h1>${t("Films")}</h1><${Pages} />${languages}</header>
      <main><p class=${state.trouble ? "warn" : "quiet"} role="status">${state.trouble || t("Opening the film …")}</p></main>`;
  }
  const doubtful = cues.filter(isDoubtful).length;
  // A dialog says that it has closed a moment after it has: by then a key may have opened the next one.
  const closing = (name) => () => setDialog((shown) => (shown === name ? "" : shown));
  const sum = t("Cues: {cues} · break the profile: {broken} · with doubtful words: {doubtful}", {
    cues: count(cues.length),
    broken: count(broken.size),
    doubtful: count(doubtful),
  });
  return html`
    <header class="top">
      <h1>${film.title}</h1>
      <${Pages} />
      ${languages}
    </header>
    <div class="bar">
      <${Saving} state=${state} />
      <span class="quiet sum">${sum}</span>
      ${film.state === "missing" && html`<span class="gone"><${Shape} kind="bad" />${t("The file is gone")}</span>`}
      ${sounds.length > 0 && html`<button type="button" onClick=${does.suggested}>${t("Suggested sounds: {n}", { n: count(sounds.length) })}</button>`}
      <span class="spring"></span>
      ${film.accepted && html`<span class="accepted"><${Shape} kind="good" />${t("Accepted by {name}", { name: film.accepted.by })}</span>`}
      <button type="button" disabled=${!state.undo} onClick=${does.undo}>${t("Undo")}</button>
      <button type="button" disabled=${!state.redo} onClick=${does.redo}>${t("Redo")}</button>
      <a class="as-button" href=${desk.of("report")} target="_blank">${t("Report")}</a>
      <button type="button" onClick=${() => setDialog("versions")}>${t("Versions")}</button>
      <button type="button" onClick=${() => setDialog("accept")}>${t("Accept")}</button>
      <button type="button" onClick=${() => setDialog("help")} aria-label=${t("Keys")} title=${t("Keys")}>?</button>
    </div>
    <${Offered} desk=${desk} offered=${state.offered} />
    <${Conflicts} desk=${desk} conflicts=${state.conflicts} cues=${cues} />
    <${Refused} desk=${desk} refused=${state.refused} cues=${cues} />
    ${state.answer && html`<p class="answer" role="alert">${state.answer}</p>`}
    <main class="film">
      <div class="left">
        <${Picture} video=${video} path=${desk.path} media=${state.media} cues=${cues} onTime=${follow} />
        ${cue &&
        html`<${Editor} key=${cue.id} api=${editor} wanted=${wanted} cue=${cue} next=${cues[place + 1]} rules=${rules} language=${film.language}
          findings=${byCue.get(cue.id)} does=${does} onDraft=${(more) => desk.draft(cue.id, more)} frame=${state.frame_ms} />`}
      </div>
      <${Rows}
        name="cues"
        items=${items}
        height=${ROW}
        label=${t("Cues")}
        keyOf=${(each) => (isSound(each) ? `sound ${each.id}` : each.id)}
        shown=${shown}
        draw=${(each) => isSound(each)
          ? html`<${Sound} sound=${each} chosen=${each.id === sound} language=${film.language} onSeek=${pickSound} onAnswer=${answerSound} />`
          : html`<${Row} cue=${each} current=${each.id === current} playing=${each.id === playing}
          findings=${byCue.get(each.id)} conflict=${state.conflicts.has(each.id) || state.refused.has(each.id)} onPick=${pick} />`}
      />
      <${Wave} video=${video} path=${desk.path} length=${film.length} cues=${cues} current=${current} broken=${broken}
        onPick=${pick} onTimes=${(id, times) => desk.draft(id, times)} />
    </main>
    ${dialog === "help" && html`<${Help} onClose=${closing("help")} />`}
    ${dialog === "accept" && html`<${Accept} desk=${desk} broken=${broken.size} doubtful=${doubtful} onClose=${closing("accept")} />`}
    ${dialog === "move" && html`<${Move} desk=${desk} cue=${cue} onClose=${closing("move")} />`}
    ${dialog === "versions" && html`<${Versions} desk=${desk} onClose=${closing("versions")} />`}
  `;
}

showAlone(FilmPage);
