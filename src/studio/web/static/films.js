// All films of the library: which there are and how far each is, what is said in them, and words put right in all of
// them at once.

import { useEffect, useMemo, useRef, useState } from "/vendor/hooks.js";
import { ask } from "./film-desk.js";
import { Glossary, Replace } from "./films-words.js";
import { html, Pages, Shape, showAlone } from "./parts.js";
import { Rows } from "./rows.js";
import { clock, count, day, share, t } from "./words.js";

const ROW = 52; // px
const AT_ONCE = 12; // films whose share is asked for in one go
const PAUSE = 250; // ms after the last key until it is searched for

const STATES = {
  new: ["off", () => t("Not heard yet")],
  changed: ["warn", () => t("The file has changed")],
  queued: ["wait", () => t("Waiting")],
  running: ["wait", () => t("Being heard")],
  done: ["good", () => t("Done")],
  silent: ["good", () => t("Without speech")],
  failed: ["bad", () => t("Failed")],
  missing: ["bad", () => t("The file is gone")],
};

/** `text` without capitals and diacritics; a stroke is none to Unicode, so letters that have one stand here, as on the server. */
const STROKED = { ł: "l", đ: "d", ø: "o", ı: "i" };
const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/[łđøı]/g, (letter) => STROKED[letter]);

export const hrefOf = ({ id, language }, at) =>
  `/films/${id}?language=${encodeURIComponent(language)}${at === undefined ? "" : `&at=${at}`}`;
const keyOf = ({ id, language, version }) => `${id}.${language}.${version ?? 0}`;

/** Shares of what is in sight, asked for as it comes into sight, and remembered by version. */
function useShares(rows) {
  const known = useRef(new Map());
  const asking = useRef(false);
  const wanted = useRef([]);
  const [, redraw] = useState(0);
  const more = async () => {
    if (asking.current) return;
    const next = wanted.current.filter((key) => !known.current.has(key)).slice(0, AT_ONCE);
    if (next.length === 0) return;
    asking.current = true;
    const { status, said } = await ask(`/api/films/shares?of=${encodeURIComponent(next.join(","))}`);
    for (const key of next) known.current.set(key, status === 200 ? (said[key] ?? null) : null);
    asking.current = false;
    redraw((n) => n + 1);
  };
  useEffect(() => {
    wanted.current = rows.current.filter((row) => row.version != null).map(keyOf);
    more();
  });
  return known.current;
}

function Film({ row, of }) {
  const [shape, name] = STATES[row.state] ?? ["off", () => row.state];
  const broken = of && row.cues ? of.broken / row.cues : null;
  return html`<div class="film-row">
    ${row.version == null
      ? html`<span class="title" title=${row.path}>${row.title}</span>`
      : html`<a class="title" href=${hrefOf(row)} title=${row.path}>${row.title}</a>`}
    <span class="lang">${row.language}</span>
    <span class="number">${row.length == null ? "–" : clock(row.length / 1000)}</span>
    <span class="state" title=${row.reason || null}><${Shape} kind=${shape} /> <span>${name()}</span></span>
    <span class="number">${row.cues == null ? "–" : count(row.cues)}</span>
    <span class="share ${broken > 0.12 ? "warn" : ""}">
      ${broken != null && html`<span class="track" aria-hidden="true"><span style=${{ transform: `scaleX(${Math.min(1, broken)})` }}></span></span>`}
      <span>${broken == null ? "" : share(broken)}</span>
    </span>
    <span class="accepted">
      ${row.accepted
        ? html`<${Shape} kind="good" /> <span>${row.accepted.by}, ${day(new Date(row.accepted.at))}</span>`
        : row.was_accepted && html`<${Shape} kind="warn" /> <span>${t("changed since it was accepted")}</span>`}
    </span>
  </div>`;
}

/** Text with the stretches that were asked for. */
export function Marked({ text, marks }) {
  const letters = [...text];
  const parts = [];
  let at = 0;
  for (const [from, to] of marks) {
    parts.push(letters.slice(at, from).join(""), html`<mark>${letters.slice(from, to).join("")}</mark>`);
    at = to;
  }
  return html`<span>${parts}${letters.slice(at).join("")}</span>`;
}

function Search({ text }) {
  const [found, setFound] = useState(null);
  const [answer, setAnswer] = useState("");
  useEffect(() => {
    let over = false;
    const timer = setTimeout(async () => {
      const { status, said } = await ask(`/api/films/search?q=${encodeURIComponent(text)}`);
      if (over) return;
      setFound(status === 200 ? said : null);
      setAnswer(status === 200 ? "" : said.reason || t("Nobody confirmed this."));
    }, PAUSE);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [text]);
  if (answer) return html`<p class="answer" role="alert">${answer}</p>`;
  if (!found) return html`<p class="quiet">${t("Searching …")}</p>`;
  const { hits } = found;
  return html`<section class="panel hits" aria-label=${t("What is said in the films")}>
    ${hits.length === 0 && html`<p class="quiet">${t("Nobody says this in any film.")}</p>`}
    <ul>
      ${hits.map(
        (hit) => html`<li key=${`${hit.film}.${hit.language}.${hit.cue}`}>
          <a href=${hrefOf({ id: hit.film, language: hit.language }, hit.start)}>
            <span class="where">${hit.title}<small>${clock(hit.start / 1000)}</small></span>
            <${Marked} text=${hit.text} marks=${hit.marks} />
          </a>
        </li>`,
      )}
    </ul>
    ${found.more && html`<p class="quiet">${t("There is more; search for more words.")}</p>`}
  </section>`;
}

const VIEWS = {
  films: () => t("List"),
  replace: () => t("Find and replace"),
  glossary: () => t("Words to learn"),
};

function FilmsPage({ languages }) {
  const [rows, setRows] = useState(null);
  const [trouble, setTrouble] = useState("");
  const [view, setView] = useState("films");
  const [title, setTitle] = useState("");
  const [state, setState] = useState("");
  const [said, setSaid] = useState("");
  const load = async () => {
    const { status, said: answer } = await ask("/api/films");
    if (status === 200) setRows(answer.films);
    setTrouble(status === 200 ? "" : answer.reason || t("The library cannot be read."));
  };
  useEffect(() => {
    load();
    document.title = `${t("Films")} – studio`;
  }, []);
  const shown = useMemo(() => {
    const wanted = fold(title);
    const fits = (row) =>
      fold(row.title).includes(wanted) &&
      (state === "" || (state === "accepted" ? row.accepted : state === "open" ? row.version != null && !row.accepted : row.state === state));
    return (rows ?? []).filter(fits);
  }, [rows, title, state]);
  const seen = useRef([]);
  seen.current = [];
  const shares = useShares(seen);
  const draw = (row) => {
    seen.current.push(row);
    return html`<${Film} row=${row} of=${shares.get(keyOf(row))} />`;
  };
  const sum = rows && t("{shown} of {all}", { shown: count(shown.length), all: count(rows.length) });
  return html`
    <header class="top">
      <h1>${t("Films")}</h1>
      <${Pages} />
      ${languages}
    </header>
    <div class="bar">
      <div class="views" role="group" aria-label=${t("View")}>
        ${Object.entries(VIEWS).map(
          ([key, name]) => html`<button key=${key} type="button" aria-pressed=${view === key} onClick=${() => setView(key)}>${name()}</button>`,
        )}
      </div>
      ${view === "films" &&
      html`<label class="field said">${t("Search in what is said")}
          <input type="search" value=${said} onInput=${(event) => setSaid(event.target.value)} maxlength="200" />
        </label>
        <span class="spring"></span>
        <label class="field">${t("Title")}
          <input type="search" value=${title} onInput=${(event) => setTitle(event.target.value)} maxlength="200" />
        </label>
        <select aria-label=${t("State")} value=${state} onChange=${(event) => setState(event.target.value)}>
          <option value="">${t("All states")}</option>
          <option value="open">${t("Waiting for a person")}</option>
          <option value="accepted">${t("Accepted")}</option>
          ${Object.entries(STATES).map(([key, [, name]]) => html`<option key=${key} value=${key}>${name()}</option>`)}
        </select>
        <span class="quiet sum">${sum}</span>`}
    </div>
    ${trouble && html`<p class="answer" role="alert">${trouble}</p>`}
    <main class="films">
      ${view === "replace" && html`<${Replace} onDone=${load} />`}
      ${view === "glossary" && html`<${Glossary} />`}
      ${view === "films" && said.trim() && html`<${Search} text=${said.trim()} />`}
      ${view === "films" &&
      !said.trim() &&
      html`<div class="table">
        <div class="film-row head" aria-hidden="true">
          <span>${t("Title")}</span><span></span><span class="number">${t("Length")}</span><span>${t("State")}</span>
          <span class="number">${t("Cues")}</span><span>${t("Break the profile")}</span><span>${t("Accepted by")}</span>
        </div>
        <${Rows} name="all-films" items=${shown} height=${ROW} keyOf=${keyOf} label=${t("Films")} draw=${draw} />
        ${rows && rows.length === 0 && html`<p class="quiet empty">${t("No film is in the library yet; studio subtitle FOLDER brings them in.")}</p>`}
      </div>`}
    </main>
  `;
}

showAlone(FilmsPage);
