// What the film page says beside the film: whether all is saved, what waits for an answer, which keys there are.

import { useEffect, useRef, useState } from "/vendor/hooks.js";
import { ask, myName } from "./film-desk.js";
import { KEYS } from "./film-keys.js";
import { html, Shape } from "./parts.js";
import { count, day, moment, stamp, t } from "./words.js";

const LONGEST = 7 * 24 * 3_600_000; // ms: a film of a library lasts a week at most

const SAVING = {
  saved: ["good", () => t("Saved")],
  unsaved: ["wait", () => t("Not saved yet")],
  saving: ["wait", () => t("Saving …")],
  lost: ["warn", () => t("studio does not answer; kept on this device")],
  refused: ["bad", () => t("A change cannot be saved")],
  conflict: ["bad", () => t("Two people changed one cue")],
};

export function Saving({ state }) {
  const [shape, name] = SAVING[state.saving];
  return html`<span class="saving ${state.saving}" role="status"><${Shape} kind=${shape} /> ${name()}</span>`;
}

function Dialog({ title, onClose, name, children }) {
  const frame = useRef(null);
  useEffect(() => frame.current.showModal(), []);
  return html`<dialog ref=${frame} class=${name} aria-labelledby="dialog-title" onClose=${onClose}>
    <header><h2 id="dialog-title">${title}</h2>
      <button type="button" aria-label=${t("Close")} onClick=${() => frame.current.close()}>×</button></header>
    ${children}
  </dialog>`;
}

export function Help({ onClose }) {
  return html`<${Dialog} title=${t("Keys")} name="help" onClose=${onClose}>
    <dl class="keys">
      ${KEYS.map(
        ({ keys, name }) => html`<div key=${name()}>
          <dt>${keys.map((key, nth) => html`${nth > 0 && html`<i>/</i>`}<span>${key.split(" ").map((part) => html`<kbd>${part}</kbd>`)}</span>`)}</dt>
          <dd>${name()}</dd>
        </div>`,
      )}
    </dl>
    <p class="quiet">${t("Where two are named, the second also works while you write.")}</p>
  <//>`;
}

/** Move the times of the cue that is chosen and of all after it, or of the whole film. */
export function Move({ desk, cue, onClose }) {
  const field = useRef(null);
  const [all, setAll] = useState(!cue);
  const [answer, setAnswer] = useState("");
  const move = async (event) => {
    event.preventDefault();
    const by = Math.round(Number(field.current.value.trim().replace(",", ".").replace("−", "-")) * 1000);
    if (!by || Math.abs(by) > LONGEST) {
      setAnswer(t("Write seconds, as 1.5 or -0.4."));
      return;
    }
    const dialog = event.target.closest("dialog");
    if (await desk.act([{ do: "shift", by, since: all ? 0 : cue.start }])) dialog.close();
    else setAnswer(desk.get().answer || t("Nobody confirmed this."));
  };
  return html`<${Dialog} title=${t("Move times")} name="move" onClose=${onClose}>
    <form onSubmit=${move}>
      <label>${t("Seconds; with a minus they come earlier")} <input ref=${field} inputmode="text" size="8" autocomplete="off" required autofocus /></label>
      ${cue && html`<label><input type="radio" name="since" checked=${!all} onChange=${() => setAll(false)} /> ${t("This cue and all after it")}</label>`}
      <label><input type="radio" name="since" checked=${all} onChange=${() => setAll(true)} /> ${t("All cues of the film")}</label>
      <p class="quiet">${t("What is heard again later is moved likewise.")}</p>
      <p class="answer" role="alert">${answer}</p>
      <button type="submit">${t("Move")}</button>
    </form>
  <//>`;
}

export function Accept({ desk, broken, doubtful, onClose }) {
  const field = useRef(null);
  const [answer, setAnswer] = useState("");
  const accept = async (event) => {
    event.preventDefault();
    const by = field.current.value.trim();
    if (!by) return;
    myName(by);
    if (await desk.step("accept", { by })) event.target.closest("dialog").close();
    else setAnswer(desk.get().answer || t("Nobody confirmed this."));
  };
  const left = t("Cues that break the profile: {broken}; with words that the recogniser doubted: {doubtful}.", {
    broken: count(broken),
    doubtful: count(doubtful),
  });
  return html`<${Dialog} title=${t("Accept")} name="accept" onClose=${onClose}>
    <form onSubmit=${accept}>
      <p>${t("With your name you say: these subtitles may go out. A later change asks for it again.")}</p>
      ${(broken > 0 || doubtful > 0) && html`<p class="warn"><${Shape} kind="warn" /> ${left}</p>`}
      <label>${t("Your name")} <input ref=${field} defaultValue=${myName()} maxlength="80" required autofocus /></label>
      <p class="answer" role="alert">${answer}</p>
      <button type="submit">${t("Accept")}</button>
    </form>
  <//>`;
}

const MADE = {
  recognised: () => t("heard by the machine"),
  edited: () => t("edited"),
  imported: () => t("read from a file"),
  restored: () => t("restored"),
};
const SITTING = 10 * 60_000; // ms; edits of one person that follow each other so closely are one line

/** Newest first; of a sitting only the last, for every pause in typing makes a version. */
function sittings(versions) {
  const shown = [];
  for (const version of versions) {
    const last = shown.at(-1);
    const near = last && last.kind === "edited" && version.kind === "edited" && last.by === version.by;
    if (near && !version.head && !version.accepted_by && new Date(last.since) - new Date(version.at) < SITTING) {
      last.since = version.at;
      last.many += 1;
    } else shown.push({ ...version, since: version.at, many: 1 });
  }
  return shown;
}

export function Versions({ desk, onClose }) {
  const [versions, setVersions] = useState(null);
  const [answer, setAnswer] = useState("");
  useEffect(() => {
    ask(desk.of("versions")).then(({ status, said }) => (status === 200 ? setVersions(said.versions) : setAnswer(said.reason)));
  }, []);
  const restore = async (number, event) => {
    const dialog = event.target.closest("dialog");
    if (await desk.step("restore", { number })) dialog.close();
    else setAnswer(desk.get().answer);
  };
  return html`<${Dialog} title=${t("Versions")} name="versions" onClose=${onClose}>
    <p class="answer" role="alert">${answer}</p>
    <ol>
      ${sittings(versions ?? []).map(
        (version) => html`<li key=${version.number}>
          <span class="number">${version.number}</span>
          <span>${day(new Date(version.at))} ${moment(new Date(version.at))}</span>
          <span>${MADE[version.kind]?.() ?? version.kind}${version.by && ` · ${version.by}`}${version.many > 1 && ` · ${version.many} ×`}
            ${version.accepted_by && html` <span class="good">· ${t("Accepted by {name}", { name: version.accepted_by })}</span>`}</span>
          ${version.head
            ? html`<span class="good">${t("counts now")}</span>`
            : html`<button type="button" onClick=${(event) => restore(version.number, event)}>${t("Restore")}</button>`}
        </li>`,
      )}
    </ol>
  <//>`;
}

/** What was typed in an earlier visit and never reached the library. */
export function Offered({ desk, offered }) {
  if (!offered) return null;
  const from = t("On this device there are changes of {time} that were never saved: {n}.", {
    n: count(offered.drafts.length),
    time: `${day(new Date(offered.at))} ${moment(new Date(offered.at))}`,
  });
  return html`<div class="banner offered" role="alert">
    <${Shape} kind="warn" /> <span>${from}</span>
    <button type="button" onClick=${desk.restoreDrafts}>${t("Put them in")}</button>
    <button type="button" onClick=${desk.dropOffered}>${t("Forget them")}</button>
  </div>`;
}

export function Conflicts({ desk, conflicts, cues }) {
  if (conflicts.size === 0) return null;
  return html`<ul class="conflicts" role="alert">
    ${[...conflicts].map(([id, theirs]) => {
      const mine = cues.find((cue) => cue.id === id)?.lines.join(" / ") ?? desk.draftOf(id)?.lines.join(" / ");
      return html`<li key=${id}>
        <${Shape} kind="bad" />
        <dl>
          <div><dt>${t("Yours")}</dt><dd>${mine}</dd></div>
          <div><dt>${t("In the library")}</dt><dd>${theirs ? theirs.lines.join(" / ") : t("This cue is gone.")}</dd></div>
        </dl>
        ${theirs && html`<button type="button" onClick=${() => desk.resolve(id, true)}>${t("Keep mine")}</button>`}
        <button type="button" onClick=${() => desk.resolve(id, false)}>${t("Take theirs")}</button>
      </li>`;
    })}
  </ul>`;
}

/** Drafts that the library does not take, and why. */
export function Refused({ desk, refused, cues }) {
  if (refused.size === 0) return null;
  return html`<ul class="conflicts refused" role="alert">
    ${[...refused].map(([id, reason]) => {
      const mine = cues.find((cue) => cue.id === id) ?? desk.draftOf(id);
      return html`<li key=${id}>
        <${Shape} kind="bad" />
        <dl>
          <div><dt>${t("Yours")}</dt><dd>${stamp(mine.start)} – ${stamp(mine.end)} ${mine.lines.join(" / ")}</dd></div>
          <div><dt>${t("Why it is not saved")}</dt><dd>${reason}</dd></div>
        </dl>
        <button type="button" onClick=${() => desk.again(id)}>${t("Try again")}</button>
        <button type="button" onClick=${() => desk.letGo(id)}>${t("Forget mine")}</button>
      </li>`;
    })}
  </ul>`;
}
