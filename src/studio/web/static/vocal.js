// The vocal studio: one button, the meters, the takes. What is shown of recording is what the recorder says, never what was pressed.

import { useEffect, useMemo, useRef, useState } from "/vendor/hooks.js";
import { html, Pages, Panel, Shape, showAlone } from "./parts.js";
import { ask } from "./vocal-ask.js";
import { Mixes } from "./vocal-desk.js";
import { Export } from "./vocal-export.js";
import { Pitch } from "./vocal-pitch.js";
import { Takes } from "./vocal-takes.js";
import { clock, day, decibels, measured, t } from "./words.js";

const SILENCE = 2000; // ms without a word after which studio counts as gone
const AGAIN = 1000; // ms until it is called again
const LOWEST = -60; // dBFS at the left edge of a meter
const LITTLE = 600; // seconds of disk that are worth a word in red

const KINDS = {
  dead: ["bad", () => t("dead")],
  clipped: ["bad", () => t("clipped")],
  hum: ["warn", () => t("hum")],
  "too hot": ["warn", () => t("too hot")],
  "too low": ["warn", () => t("too low")],
  good: ["good", () => t("good")],
  waiting: ["wait", () => t("nobody sang")],
};
const MANY = 8; // microphones that are shown large
const CONSENTS = { yes: () => t("consent: yes"), no: () => t("consent: no"), missing: () => t("consent not noted") };

function consentOf(consent) {
  const known = CONSENTS[consent];
  return known ? known() : t("consent until {day}", { day: day(new Date(consent)) });
}

/** What studio says 25 times a second, or null while it says nothing. */
function useLive() {
  const [live, setLive] = useState(null);
  useEffect(() => {
    let over = false;
    let socket = null;
    let silence = 0;
    let again = 0;
    const call = () => {
      const ours = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/vocal/live`);
      socket = ours;
      const lose = () => {
        if (over || socket !== ours) return;
        socket = null;
        clearTimeout(silence);
        ours.onmessage = null;
        ours.close();
        setLive(null);
        again = setTimeout(call, AGAIN);
      };
      silence = setTimeout(lose, SILENCE);
      ours.onmessage = (event) => {
        clearTimeout(silence);
        silence = setTimeout(lose, SILENCE);
        setLive(JSON.parse(event.data));
      };
      ours.onclose = lose;
    };
    call();
    return () => {
      over = true;
      clearTimeout(silence);
      clearTimeout(again);
      socket?.close();
    };
  }, []);
  return live;
}

function Meter({ track, peak, rms, verdict, level }) {
  const wide = (value) => Math.max(0, Math.min(1, 1 - (value ?? LOWEST) / LOWEST));
  const [shape, name] = KINDS[verdict?.kind] ?? ["off", () => t("not heard")];
  const hot = peak > -3 ? "bad" : peak > -12 ? "warn" : "good";
  return html`<li class="meter">
    <span class="channel">${track.channel}</span>
    <span class="who">
      <strong>${track.name}</strong>
      ${track.singers.map(
        (singer) => html`<small class=${singer.consent === "no" || singer.consent === "missing" ? "refused" : ""}>
          ${singer.name}${singer.consent && `, ${consentOf(singer.consent)}`}
        </small>`,
      )}
    </span>
    <span class="bar" role="meter" aria-label=${track.name} aria-valuemin=${LOWEST} aria-valuemax="0" aria-valuenow=${peak == null ? LOWEST : Math.round(peak)}>
      <span class="peak ${hot}" style=${{ transform: `scaleX(${wide(peak)})` }}></span>
      <span class="rms" style=${{ transform: `scaleX(${wide(rms)})` }}></span>
    </span>
    <span class="number">${peak == null || peak < LOWEST ? "–" : decibels(peak)}</span>
    <span class="verdict ${shape}"><${Shape} kind=${shape} /> <strong>${name()}</strong> <span>${verdict?.words ?? level}</span></span>
  </li>`;
}

function State({ live }) {
  const recorder = live?.recorder;
  if (!live) return html`<p class="gone" role="alert"><${Shape} kind="bad" /> ${t("studio does not answer; nobody knows whether it records.")}</p>`;
  if (!recorder) return html`<p class="gone" role="alert"><${Shape} kind="bad" /> ${t("The recorder is gone; it is being started again.")}</p>`;
  const little = recorder.disk_seconds != null && recorder.disk_seconds < LITTLE;
  return html`<p class="facts">
    <span class=${recorder.input === "online" ? "" : "refused"}>${recorder.device || t("no input")}</span>
    <span>${recorder.rate} Hz, ${t("channels: {n}", { n: recorder.channels })}</span>
    <span class=${little ? "refused" : ""}>${t("disk for {hours} h", { hours: recorder.disk_seconds == null ? "?" : measured(recorder.disk_seconds / 3600) })}</span>
    ${recorder.latency != null && html`<span>${t("round trip {ms} ms", { ms: measured((recorder.latency / recorder.rate) * 1000) })}</span>`}
  </p>`;
}

/** Seconds of `1:05`, `1:05.5` or `65`; null where it is no time. */
function secondsOf(text) {
  const found = /^(?:(\d{1,3}):)?(\d{1,5}(?:[.,]\d{1,3})?)$/.exec(text.trim());
  return found ? Number(found[1] ?? 0) * 60 + Number(found[2].replace(",", ".")) : null;
}

function Part({ part, setPart }) {
  const field = (key, name) => html`<input aria-label=${name} size="5" value=${part[key]} title=${key === "from" ? "1:05" : "1:20"} onInput=${(event) => setPart({ ...part, [key]: event.target.value })} />`;
  return html`<label>${t("Part of the song")}
      <select value=${part.how} onChange=${(event) => setPart({ ...part, how: event.target.value })}>
        <option value="">${t("all of it")}</option>
        <option value="punch">${t("punch in")}</option>
        <option value="loop">${t("over and over")}</option>
      </select>
    </label>
    ${part.how && html`<span class="span">${field("from", t("From"))} – ${field("to", t("To"))}</span>`}`;
}

function VocalPage({ languages }) {
  const live = useLive();
  const [session, setSession] = useState(null);
  const [answer, setAnswer] = useState("");
  const [wish, setWish] = useState({ backing: true, click: false, count_in: 0 });
  const [part, setPart] = useState({ how: "", from: "", to: "" });
  const recorder = live?.recorder ?? null;
  const running = recorder?.take ?? null;
  const song = session?.songs.find((each) => each.id === session.song);
  const canPart = Boolean(song?.backing || song?.tempo);
  const asking = live?.asking ?? false;
  const pressed = useRef(null);
  const load = async () => {
    const { status, said } = await ask("");
    if (status === 200) setSession(said);
  };
  useEffect(() => {
    if (live) load();
  }, [live?.version, live === null]);
  useEffect(() => {
    document.title = `${t("Vocal studio")} – studio`;
  });
  const act = async (path, body) => {
    const { status, said } = await ask(path, body);
    setAnswer(status === 200 ? "" : said.reason || t("Nobody confirmed this."));
    load();
    return status === 200;
  };
  const record = () => {
    const span = part.how && canPart ? [secondsOf(part.from), secondsOf(part.to)] : null;
    if (span === null) return act("/record", wish);
    if (span.includes(null)) return setAnswer(t("Write where the part begins and ends, such as 1:05 and 1:20."));
    return act("/record", { ...wish, [part.how]: span });
  };
  // What is on the screen is meant: a press on a button that said "stop" never begins a take.
  pressed.current = () => (running != null || asking ? act("/stop", {}) : record());
  useEffect(() => {
    const key = (event) => {
      if (event.code !== "Space" || event.repeat || event.target.closest("input, select, textarea, button, audio, summary, a")) return;
      event.preventDefault();
      pressed.current();
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);
  const label = running != null ? t("Stop") : asking ? t("Getting ready …") : t("Record");
  const number = running == null ? "" : t("Take {number}", { number: running });
  const under = running == null ? t("or Space") : number;
  const spoken = document.documentElement.lang;
  const takes = useMemo(() => html`<${Takes} takes=${session?.takes ?? []} act=${act} />`, [session, spoken]); // not 25 times a second
  return html`
    <header class="top">
      <h1>${session?.name ?? t("Vocal studio")}</h1>
      <${Pages} />
      ${languages}
    </header>
    <${State} live=${live} />
    ${(live?.dropouts ?? []).map(
      (lost) => html`<p class="lost" role="alert" key=${`${lost.number}.${lost.seconds}`}><${Shape} kind="bad" />
        ${t("Take {number} lacks {ms} ms at {at} s; they are silent.", { number: lost.number, ms: measured(lost.lost * 1000), at: measured(lost.seconds) })}
      </p>`,
    )}
    ${(live?.said ?? []).map((sentence) => html`<p class="lost" role="alert" key=${sentence}><${Shape} kind="warn" /> ${sentence}</p>`)}
    ${answer && html`<p class="lost" role="alert"><${Shape} kind="warn" /> ${answer}</p>`}
    <main class="vocal">
      <section class="panel press" aria-label=${t("Recording")}>
        <button type="button" class="record ${running != null ? "running" : ""}" aria-busy=${asking} disabled=${!recorder} onClick=${() => pressed.current()}>
          <span class="dot" aria-hidden="true"></span>
          <strong>${label}</strong>
          ${running != null && html`<span class="time">${clock(recorder.frames / recorder.rate)}</span>`}
          <span class="under">${under}</span>
        </button>
        <label>${t("Song")}
          <select value=${session?.song ?? ""} disabled=${running != null} onChange=${(event) => act("/song", { song: event.target.value })}>
            ${!session?.song && html`<option value=""></option>`}
            ${(session?.songs ?? []).map((each) => html`<option key=${each.id} value=${each.id}>${each.title}</option>`)}
          </select>
        </label>
        <label class="check"><input type="checkbox" checked=${wish.backing && !!song?.backing} disabled=${!song?.backing} onChange=${(event) => setWish({ ...wish, backing: event.target.checked })} />
          ${song?.backing ? t("Play {file}", { file: song.backing }) : t("No backing for this song")}</label>
        <label class="check"><input type="checkbox" checked=${wish.click} disabled=${!song?.tempo} onChange=${(event) => setWish({ ...wish, click: event.target.checked })} /> ${t("Click")}</label>
        <label>${t("Bars counted in")}
          <input type="number" min="0" max="8" value=${wish.count_in} disabled=${!song?.tempo} onChange=${(event) => setWish({ ...wish, count_in: Math.max(0, Math.min(8, Math.trunc(Number(event.target.value)) || 0)) })} />
        </label>
        ${canPart && html`<${Part} part=${part} setPart=${setPart} />`}
      </section>
      <${Panel} name="meters" title=${t("Microphones")}>
        <ul class=${(session?.tracks.length ?? 0) > MANY ? "many" : "few"}>
          ${(session?.tracks ?? []).map(
            (track) => html`<${Meter} key=${track.channel} track=${track} peak=${live?.peak[track.channel - 1]} rms=${live?.rms[track.channel - 1]} verdict=${live?.verdicts[track.channel]} level="" />`,
          )}
        </ul>
        ${session && session.tracks.length === 0 && html`<p class="quiet">${t("No track is armed; studio vocal arm 1=NAME says which input is recorded.")}</p>`}
        <div class="row">
          <button type="button" class="assist" disabled=${!recorder || live.listening || running != null} aria-busy=${live?.listening} onClick=${() => act("/levels", {})}>
            ${live?.listening ? t("Sing the loudest part now …") : t("Level assistant")}
          </button>
          ${live?.gains > 0 && html`<button type="button" class="gains" disabled=${!recorder || live.listening || running != null} onClick=${() => act("/gains", {})}>${t("Set the gains on the desk ({n})", { n: live.gains })}</button>`}
        </div>
        ${!live?.listening && html`<ul class="advice">${(session?.tracks ?? []).filter((track) => session.levels[track.channel]).map((track) => html`<li key=${track.channel}><strong>${track.name}</strong> ${session.levels[track.channel]}</li>`)}</ul>`}
      <//>
      ${session?.tracks.length > 0 && html`<${Pitch} pitch=${live?.pitch ?? null} rate=${recorder?.rate} tracks=${session.tracks} voices=${session.voices} act=${act} />`}
      ${session?.desk && html`<${Mixes} buses=${session.buses} tracks=${session.tracks} />`}
      ${takes}
      ${session && html`<${Export} session=${session} state=${live?.export} recording=${running != null || asking} />`}
    </main>
  `;
}

showAlone(VocalPage);
