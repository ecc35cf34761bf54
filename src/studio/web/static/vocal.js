// The vocal studio: one button, the meters, the takes. What is shown of recording is what the recorder says, never what was pressed.

import { useEffect, useRef, useState } from "/vendor/hooks.js";
import { html, Panel, Shape, showAlone } from "./parts.js";
import { Takes } from "./vocal-takes.js";
import { clock, measured, t } from "./words.js";

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
const CONSENTS = { yes: () => t("consent: yes"), no: () => t("consent: no"), missing: () => t("consent not noted") };

/** Ask studio for something; resolves to {status, said} and never rejects. */
export async function ask(path, body) {
  const post = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  try {
    const answer = await fetch(`/api/vocal${path}`, body === undefined ? {} : post);
    return { status: answer.status, said: await answer.json().catch(() => ({})) };
  } catch {
    return { status: 0, said: { reason: t("studio does not answer; nothing was done.") } };
  }
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
          ${singer.name}${singer.consent && `, ${CONSENTS[singer.consent]?.() ?? t("consent until {day}", { day: singer.consent })}`}
        </small>`,
      )}
    </span>
    <span class="bar" role="meter" aria-label=${track.name} aria-valuemin=${LOWEST} aria-valuemax="0" aria-valuenow=${peak == null ? LOWEST : Math.round(peak)}>
      <span class="peak ${hot}" style=${{ transform: `scaleX(${wide(peak)})` }}></span>
      <span class="rms" style=${{ transform: `scaleX(${wide(rms)})` }}></span>
    </span>
    <span class="number">${peak == null ? "–" : `${Math.round(peak)} dB`}</span>
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

function VocalPage({ languages }) {
  const live = useLive();
  const [session, setSession] = useState(null);
  const [answer, setAnswer] = useState("");
  const [wish, setWish] = useState({ backing: true, click: false, count_in: 0 });
  const recorder = live?.recorder ?? null;
  const running = recorder?.take ?? null;
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
  // What is on the screen is meant: a press on a button that said "stop" never begins a take.
  pressed.current = () => (running != null || asking ? act("/stop", {}) : act("/record", wish));
  useEffect(() => {
    const key = (event) => {
      if (event.code !== "Space" || event.repeat || event.target.closest("input, select, textarea, button, audio, a")) return;
      event.preventDefault();
      pressed.current();
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);
  const song = session?.songs.find((each) => each.id === session.song);
  const label = running != null ? t("Stop") : asking ? t("Getting ready …") : t("Record");
  const number = running == null ? "" : t("Take {number}", { number: running });
  const under = running == null ? t("or Space") : `${number}  ${clock(recorder.frames / recorder.rate)}`;
  return html`
    <header class="top">
      <h1>${session?.name ?? t("Vocal studio")}</h1>
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
          <span class="time">${under}</span>
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
      </section>
      <${Panel} name="meters" title=${t("Microphones")}>
        <ul>
          ${(session?.tracks ?? []).map(
            (track) => html`<${Meter} key=${track.channel} track=${track} peak=${live?.peak[track.channel - 1]} rms=${live?.rms[track.channel - 1]} verdict=${live?.verdicts[track.channel]} level="" />`,
          )}
        </ul>
        ${session && session.tracks.length === 0 && html`<p class="quiet">${t("No track is armed; studio vocal arm 1=NAME says which input is recorded.")}</p>`}
        <button type="button" class="assist" disabled=${!recorder || live.listening} aria-busy=${live?.listening} onClick=${() => act("/levels", {})}>
          ${live?.listening ? t("Sing the loudest part now …") : t("Level assistant")}
        </button>
        ${!live?.listening && html`<ul class="advice">${(session?.tracks ?? []).filter((track) => session.levels[track.channel]).map((track) => html`<li key=${track.channel}><strong>${track.name}</strong> ${session.levels[track.channel]}</li>`)}</ul>`}
      <//>
      <${Takes} takes=${session?.takes ?? []} act=${act} />
    </main>
  `;
}

showAlone(VocalPage);
