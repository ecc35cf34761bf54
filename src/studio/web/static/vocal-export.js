// What leaves the session: which takes, as which files, how loud; how far it is, and what came of it.

import { useState } from "/vendor/hooks.js";
import { html, Panel, Shape } from "./parts.js";
import { ask } from "./vocal-ask.js";
import { lufs, share, t } from "./words.js";

const FORMS = { wav: "WAV", flac: "FLAC", mp3: "MP3" };
const LOUDNESS = {
  "-14": () => t("streaming (−14 LUFS)"),
  "-16": () => t("speech (−16 LUFS)"),
  "-23": () => t("broadcasting (−23 LUFS)"),
};
const PRESETS = {
  plain: () => t("as it was sung"),
  "adult-solo": () => t("one adult"),
  "children-choir": () => t("children"),
  group: () => t("a group"),
  seniors: () => t("seniors"),
};

const addressOf = (file) => `/api/vocal/exports/${file.split("/").map(encodeURIComponent).join("/")}`;

export function Export({ session, state, recording }) {
  const [what, setWhat] = useState("");
  const [forms, setForms] = useState(["wav"]);
  const [loudness, setLoudness] = useState("-14");
  const [preset, setPreset] = useState("plain");
  const [refused, setRefused] = useState("");
  const running = state?.running ?? false;
  const whole = session.takes.filter((take) => take.ended !== null && take.seconds > 0);
  const keepers = whole.filter((take) => take.keeper).length;
  const start = async (event) => {
    event.preventDefault();
    const [kind, number] = what.split(" ");
    const { status, said } = await ask("/export", {
      takes: kind === "take" ? [Number(number)] : [],
      comps: kind === "comp" ? [Number(number)] : [],
      preset,
      loudness: Number(loudness),
      forms,
    });
    setRefused(status === 200 ? "" : said.reason || t("Nobody confirmed this."));
  };
  const trouble = refused ? [refused] : (state?.trouble ?? []);
  const toggle = (form, on) => setForms(Object.keys(FORMS).filter((each) => (each === form ? on : forms.includes(each))));
  return html`<${Panel} name="export" title=${t("Export")}>
    <form onSubmit=${start}>
      <label>${t("What")}
        <select value=${what} onChange=${(event) => setWhat(event.target.value)}>
          <option value="">${t("all keepers ({n})", { n: keepers })}</option>
          ${session.comps.map((comp) => html`<option key=${`comp ${comp.number}`} value=${`comp ${comp.number}`}>${t("Comp {number}", { number: comp.number })} ${comp.title || comp.song}</option>`)}
          ${whole.map((take) => html`<option key=${`take ${take.number}`} value=${`take ${take.number}`}>${t("Take {number}", { number: take.number })} ${take.song}</option>`)}
        </select>
      </label>
      <span class="forms" role="group" aria-label=${t("Files")}>
        ${Object.entries(FORMS).map(
          ([form, name]) => html`<label key=${form} class="check"><input type="checkbox" checked=${forms.includes(form)} onChange=${(event) => toggle(form, event.target.checked)} /> ${name}</label>`,
        )}
      </span>
      <label>${t("Loudness")}
        <select value=${loudness} onChange=${(event) => setLoudness(event.target.value)}>
          ${Object.entries(LOUDNESS).map(([value, name]) => html`<option key=${value} value=${value}>${name()}</option>`)}
        </select>
      </label>
      <label>${t("Sound")}
        <select value=${preset} onChange=${(event) => setPreset(event.target.value)}>
          ${session.presets.map((name) => html`<option key=${name} value=${name}>${PRESETS[name]?.() ?? name}</option>`)}
        </select>
      </label>
      <button type="submit" aria-busy=${running} disabled=${running || recording || forms.length === 0}>${running ? t("Being exported …") : t("Export")}</button>
    </form>
    ${recording && html`<p class="quiet">${t("A take is being recorded; export when it is over.")}</p>`}
    ${running && html`<p class="row"><progress max="1" value=${state.share} aria-label=${t("How far the export is")}></progress> <span>${state.name} ${share(state.share)}</span></p>`}
    ${trouble.map((sentence) => html`<p class="refused" role="alert" key=${sentence}><${Shape} kind="bad" /> ${sentence}</p>`)}
    ${state?.left.length > 0 &&
    html`<p><${Shape} kind="good" /> ${t("Done; the files are in {folder}", { folder: `${session.folder}/exports` })}</p>
      <ul class="left">
        ${state.left.map(
          (one) => html`<li key=${one.files[0]}>
            <strong>${one.name}</strong>
            <span class="number">${lufs(one.loudness)}</span>
            <audio controls preload="none" src=${addressOf(one.files[0])}></audio>
            ${one.files.map((file) => html`<a key=${file} href=${addressOf(file)} download=${file.split("/").at(-1)}>${file.split("/").at(-1)}</a>`)}
          </li>`,
        )}
      </ul>`}
  <//>`;
}
