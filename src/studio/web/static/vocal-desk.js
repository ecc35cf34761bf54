// What each singer hears: the sends of the desk to one of its mixes, as the desk reports them.

import { useEffect, useState } from "/vendor/hooks.js";
import { html, Panel, Shape } from "./parts.js";
import { ask } from "./vocal-ask.js";
import { decibels, t } from "./words.js";

const LOWEST = -60; // dB at the left end of a slider
const HIGHEST = 10;

export function Mixes({ buses, tracks }) {
  const [bus, setBus] = useState("");
  const [sends, setSends] = useState(null);
  const [answer, setAnswer] = useState("");
  const look = async (number) => {
    const { status, said } = number ? await ask(`/sends/${number}`) : { status: 200, said: null };
    setSends(status === 200 ? said : null);
    if (status !== 200) setAnswer(said.reason || t("studio does not answer; nothing was done."));
  };
  useEffect(() => {
    setAnswer("");
    look(bus);
  }, [bus]);
  const send = async (source, level) => {
    const { status, said } = await ask("/send", { bus: Number(bus), source, level });
    setAnswer(status === 200 ? "" : said.reason || t("Nobody confirmed this."));
    look(bus);
  };
  const named = Object.fromEntries(tracks.map((track) => [`ch${track.channel}`, track.name]));
  const ours = Object.keys(sends ?? {}).filter((source) => source in named);
  const others = Object.keys(sends ?? {}).filter((source) => !(source in named));
  const row = (source) => html`<li key=${source} class="send">
    <span>${named[source] ?? source}</span>
    <input type="range" min=${LOWEST} max=${HIGHEST} step="1" value=${sends[source] ?? LOWEST} aria-label=${t("{source} in this mix, in decibels", { source: named[source] ?? source })} onChange=${(event) => send(source, Number(event.target.value))} />
    <span class="number">${sends[source] === null ? t("off") : decibels(sends[source])}</span>
    <button type="button" aria-pressed=${sends[source] === null} onClick=${() => send(source, sends[source] === null ? -10 : null)}>${t("off")}</button>
  </li>`;
  return html`<${Panel} name="mixes" title=${t("What singers hear")}>
    <div class="row"><label>${t("Mix")}
      <select value=${bus} onChange=${(event) => setBus(event.target.value)}>
        <option value="">${t("none")}</option>
        ${Object.entries(buses).map(([number, name]) => html`<option key=${number} value=${number}>${number} ${name}</option>`)}
      </select>
    </label></div>
    ${answer && html`<p class="refused" role="alert"><${Shape} kind="bad" /> ${answer}</p>`}
    ${sends && html`<ul>${ours.map(row)}</ul>`}
    ${others.length > 0 && html`<details><summary>${t("Everything else on the desk")}</summary><ul>${others.map(row)}</ul></details>`}
  <//>`;
}
