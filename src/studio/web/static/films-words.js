// Words put right in all films at once, shown before it is done; and words to learn from what people put right.

import { useEffect, useState } from "/vendor/hooks.js";
import { ask, myName } from "./film-desk.js";
import { hrefOf } from "./films.js";
import { html, Shape } from "./parts.js";
import { clock, count, t } from "./words.js";

const placeOf = ({ film, language, cue }) => `${film}.${language}.${cue}`;

/** What a replacing request says of films: which version was shown, and which cues are meant. */
function chosenOf(places, left) {
  const films = new Map();
  for (const place of places) {
    if (left.has(placeOf(place))) continue;
    const key = `${place.film}.${place.language}`;
    const film = films.get(key) ?? { film: place.film, language: place.language, version: place.version, cues: [] };
    film.cues.push(place.cue);
    films.set(key, film);
  }
  return [...films.values()];
}

export function Replace({ onDone }) {
  const [wish, setWish] = useState({ find: "", write: "", case: true, words: true });
  const [shown, setShown] = useState(null); // what the server would change, for the wish as it was then
  const [left, setLeft] = useState(new Set()); // places that are to stay
  const [busy, setBusy] = useState(false);
  const [answer, setAnswer] = useState("");
  const change = (more) => {
    setWish({ ...wish, ...more });
    setShown(null);
    setAnswer("");
  };
  const preview = async (event) => {
    event?.preventDefault();
    if (!wish.find.trim()) return;
    setBusy(true);
    const { status, said } = await ask("/api/films/preview", wish);
    setBusy(false);
    setShown(status === 200 ? said : null);
    setLeft(new Set());
    setAnswer(status === 200 ? "" : said.reason || t("Nobody confirmed this."));
  };
  const places = shown?.places ?? [];
  const films = chosenOf(places, left);
  const many = places.length - left.size;
  const replace = async () => {
    setBusy(true);
    const { status, said } = await ask("/api/films/replace", { ...wish, films, by: myName() });
    setBusy(false);
    setShown(null);
    if (status !== 200) setAnswer(said.reason || t("Nobody confirmed this."));
    else setAnswer([t("Cues changed: {n}.", { n: count(said.cues) }), ...said.left].join(" "));
    onDone();
  };
  const toggle = (place) => {
    const next = new Set(left);
    if (!next.delete(placeOf(place))) next.add(placeOf(place));
    setLeft(next);
  };
  const button = t("Replace (cues: {n}, films: {films})", { n: count(many), films: count(films.length) });
  return html`<section class="panel replace" aria-label=${t("Find and replace")}>
    <form onSubmit=${preview}>
      <label>${t("Find")} <input value=${wish.find} onInput=${(event) => change({ find: event.target.value })} maxlength="200" required /></label>
      <label>${t("Write instead")} <input value=${wish.write} onInput=${(event) => change({ write: event.target.value })} maxlength="200" /></label>
      <label class="check"><input type="checkbox" checked=${wish.case} onChange=${(event) => change({ case: event.target.checked })} /> ${t("Capitals count")}</label>
      <label class="check"><input type="checkbox" checked=${wish.words} onChange=${(event) => change({ words: event.target.checked })} /> ${t("Whole words only")}</label>
      <button type="submit" disabled=${busy} aria-busy=${busy}>${t("Show what would change")}</button>
    </form>
    <p class="answer" role="alert">${answer}</p>
    ${shown && places.length === 0 && html`<p class="quiet">${t("It stands in no film.")}</p>`}
    ${places.length > 0 &&
    html`<ul class="places">
        ${places.map(
          (place) => html`<li key=${placeOf(place)}>
            <label>
              <input type="checkbox" checked=${!left.has(placeOf(place))} onChange=${() => toggle(place)} />
              <a href=${hrefOf({ id: place.film, language: place.language }, place.start)} target="_blank"><span>${place.title}</span><small>${clock(place.start / 1000)}</small></a>
              <span class="before">${place.before}</span>
              <span class="after">${place.after}</span>
            </label>
          </li>`,
        )}
      </ul>
      ${shown.more && html`<p class="warn"><${Shape} kind="warn" /> ${t("There is more than is shown; do these first, then look again.")}</p>`}
      <button type="button" class="do" disabled=${busy || many === 0} onClick=${replace}>${button}</button>`}
  </section>`;
}

export function Glossary() {
  const [found, setFound] = useState(null);
  const [answer, setAnswer] = useState("");
  const load = async () => {
    const { status, said } = await ask("/api/films/glossary");
    if (status === 200) setFound(said);
    else setAnswer(said.reason || t("Nobody confirmed this."));
  };
  useEffect(() => {
    load();
  }, []);
  const learn = async (each) => {
    const { status, said } = await ask("/api/films/glossary", { write: each.write, heard: [each.heard], language: each.language });
    setAnswer(status === 200 ? t("Learned: {word}. It stands in the glossary {name}, which --glossary and studio.toml take.", { word: each.write, name: said.name }) : said.reason);
    load();
  };
  return html`<section class="panel glossary" aria-label=${t("Words to learn")}>
    <p class="quiet">${t("What people put right more than once. What is learned goes into a glossary, by which the next films and shows are written.")}</p>
    <p class="answer" role="alert">${answer}</p>
    ${found && found.words.length === 0 && html`<p class="quiet">${t("Nothing was put right twice yet.")}</p>`}
    <ul>
      ${(found?.words ?? []).map(
        (each) => html`<li key=${`${each.language}.${each.heard}`}>
          <span class="lang">${each.language}</span>
          <span><s>${each.heard}</s> → <strong>${each.write}</strong></span>
          <span class="quiet">${`${count(each.times)} ×`}</span>
          <button type="button" onClick=${() => learn(each)}>${t("Learn")}</button>
        </li>`,
      )}
    </ul>
  </section>`;
}
