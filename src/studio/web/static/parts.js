// What every page is made of.

import { h, render } from "/vendor/preact.js";
import { useEffect } from "/vendor/hooks.js";
import htm from "/vendor/htm.js";
import { connect, house } from "./link.js";
import { store, useStore } from "./store.js";
import { choose, LANGUAGES, language, moment, remembered, speak, t } from "./words.js";

export const html = htm.bind(h);

const SHAPES = {
  good: html`<circle cx="8" cy="8" r="6" />`,
  wait: html`<circle cx="8" cy="8" r="5" class="line" stroke-dasharray="4 2.3" />`,
  warn: html`<path d="M8 1.5 15 14H1Z" /><path class="mark" d="M8 6v4m0 1.6v.4" />`,
  bad: html`<rect x="1.5" y="1.5" width="13" height="13" rx="2" /><path class="mark" d="m5 5 6 6m0-6-6 6" />`,
  off: html`<path class="line" d="M3 8h10" />`,
};

/** A sign for a state that also reads without colour: disc, ring, triangle, cross, dash. */
export function Shape({ kind }) {
  return html`<svg class="shape ${kind}" viewBox="0 0 16 16" aria-hidden="true">${SHAPES[kind]}</svg>`;
}

/** A part of a page under its own heading. */
export function Panel({ name, title, children }) {
  return html`<section class="panel ${name}" aria-labelledby="${name}-title">
    <h2 id="${name}-title">${title}</h2>
    ${children}
  </section>`;
}

const PAGES = {
  "/": () => t("Status"),
  "/captions": () => t("Captions"),
  "/hall": () => t("Hall page"),
  "/instant": () => t("Instant picture"),
  "/films": () => t("Films"),
  "/vocal": () => t("Vocal studio"),
};
const ALONE = ["/hall", "/instant"]; // before an audience: in a window of their own

const HERE = ["localhost", "127.0.0.1", "[::1]"];

/** Which pages there are: those of a show, that of the films, that of the vocal studio. */
const doors = store({ show: true, films: false, vocal: false });
/** Those that other programs on this machine serve: [{pages, port, where}]. */
const elsewhere = store([]);

async function lookElsewhere() {
  try {
    const answer = await fetch("/api/doors");
    if (answer.ok) elsewhere.set(await answer.json());
  } catch {
    // nobody answers: the page says so itself
  }
}

/** The address of another program, or null where this browser cannot reach it. */
function addressOf({ where, port }) {
  if (where === "here" && !HERE.includes(location.hostname)) return null;
  return `${location.protocol}//${where === "here" || where === "any" ? location.hostname : where}:${port}`;
}

/** The way to the other pages. */
export function Pages() {
  const here = useStore(doors);
  const others = useStore(elsewhere);
  useEffect(() => {
    lookElsewhere();
    addEventListener("focus", lookElsewhere);
    return () => removeEventListener("focus", lookElsewhere);
  }, []);
  const ours = Object.keys(PAGES).filter((path) => ({ "/films": here.films === true, "/vocal": here.vocal === true })[path] ?? here.show);
  const theirs = others.flatMap((door) => {
    const address = addressOf(door);
    return address === null ? [] : door.pages.filter((path) => path in PAGES).map((path) => [path, address]);
  });
  return html`<nav class="pages" aria-label=${t("Pages")}>
    ${ours.map(
      (path) => html`<a
        key=${path}
        href=${path}
        aria-current=${path === location.pathname ? "page" : location.pathname.startsWith(`${path}/`) ? "true" : null}
        target=${ALONE.includes(path) ? "_blank" : null}
        >${PAGES[path]()}</a
      >`,
    )}
    ${theirs.map(([path, address]) => html`<a key=${address + path} href=${address + path}>${PAGES[path]()}</a>`)}
  </nav>`;
}

/** Why captions are not as they should be, if they are not. */
export function Degraded({ sentence }) {
  if (!sentence) return null;
  return html`<p class="degraded" role="status"><${Shape} kind="warn" /> <span>${sentence}</span></p>`;
}

function LanguageSwitch() {
  const spoken = useStore(language);
  return html`<div class="languages" role="group" aria-label=${t("Language")}>
    ${Object.entries(LANGUAGES).map(
      ([code, name]) => html`<button
        key=${code}
        type="button"
        lang=${code}
        aria-label=${name}
        title=${name}
        aria-pressed=${code === spoken}
        onClick=${() => choose(code)}
      >
        ${code.toUpperCase()}
      </button>`,
    )}
  </div>`;
}

function Banner({ state, live, since }) {
  if (live) return null;
  if (state === null) return html`<p class="banner" role="status">${t("Connecting to studio …")}</p>`;
  const from = t("What you see is from {time}. Trying again all the time.", { time: moment(since) });
  return html`<p class="banner lost" role="alert">
    <${Shape} kind="warn" />
    <span>
      <strong>${t("No connection to studio.")}</strong>${" "}${from}
    </span>
  </p>`;
}

/** A page that stands alone before an audience: no banner, no words of ours, whatever happens. */
function Bare({ page }) {
  const seen = useStore(house);
  return html`<${page} state=${seen.state} />`;
}

function Frame({ page }) {
  const seen = useStore(house);
  useStore(language);
  const wanted = seen.state?.show?.interface;
  const films = seen.state?.show?.films ?? false;
  useEffect(() => doors.set({ show: true, films, vocal: false }), [films]);
  useEffect(() => {
    if (wanted && !remembered()) speak(wanted);
  }, [wanted]);
  return html`<div class="frame ${seen.live ? "" : "stale"}">
    <${Banner} ...${seen} />
    ${seen.state && html`<${page} state=${seen.state} live=${seen.live} languages=${html`<${LanguageSwitch} />`} />`}
  </div>`;
}

/** Open the page: connect, learn the language, draw. A `bare` page is drawn alone and speaks no language of ours. */
export async function show(page, { bare = false } = {}) {
  connect();
  if (!bare) await speak(remembered() ?? "en");
  render(html`<${bare ? Bare : Frame} page=${page} />`, document.getElementById("page"));
}

function Alone({ page }) {
  useStore(language);
  return html`<div class="frame"><${page} languages=${html`<${LanguageSwitch} />`} /></div>`;
}

/** Open a page that asks for what it needs itself: it works with a show and without one. */
export async function showAlone(page) {
  let here = { show: false, films: true, vocal: false, interface: "en" };
  try {
    here = await (await fetch("/api/here")).json();
  } catch {
    // nobody answers: the page says so when it asks for more
  }
  doors.set(here);
  await speak(remembered() ?? here.interface);
  render(html`<${Alone} page=${page} />`, document.getElementById("page"));
}
