// What is on the air, and how everything that carries it is doing.

import { useEffect, useRef, useState } from "/vendor/hooks.js";
import { command } from "./link.js";
import { Degraded, html, Pages, Panel, Shape, show } from "./parts.js";
import { Player } from "./player.js";
import { bytes, clock, count, dbtp, decibels, lufs, measured, seconds, share, t } from "./words.js";

const SHOWN_CUES = 5;
const SHOWN_NOTICES = 3;
const LOUDEST = -1; // dBTP, by EBU R128
const SURE = 4000; // ms in which a button must be pressed again

const PHASES = {
  starting: () => t("Starting"),
  "on air": () => t("On air"),
  stopping: () => t("Ending"),
  ended: () => t("Ended"),
};

const LINKS = {
  obs: () => "OBS",
  source: () => t("Programme source"),
  relay: () => t("Relay"),
  recogniser: () => t("Speech recogniser"),
};

const LINK_STATES = {
  off: ["off", () => t("Off")],
  connecting: ["wait", () => t("Connecting")],
  syncing: ["wait", () => t("Catching up")],
  online: ["good", () => t("Online")],
  degraded: ["warn", () => t("Limited")],
  refused: ["bad", () => t("Needs you")],
};

const INPUTS = {
  main: () => t("Main encoder"),
  backup: () => t("Backup encoder"),
};
const CHOICES = {
  auto: () => t("By itself"),
  main: () => t("Main"),
  backup: () => t("Backup"),
};

const DESTINATIONS = {
  hls: () => t("Hall (HLS)"),
  recording: () => t("Recording"),
  clean: () => t("Clean recording"),
};

const DESTINATION_STATES = {
  starting: ["wait", () => t("Starting")],
  "on air": ["good", () => t("On air")],
  stalled: ["warn", () => t("Stalled")],
  connecting: ["wait", () => t("Connecting")],
  retrying: ["warn", () => t("Trying again")],
  refused: ["bad", () => t("Needs you")],
  off: ["off", () => t("Off")],
  done: ["off", () => t("Finished")],
  failed: ["bad", () => t("Failed")],
};
const RECORDING_STATES = { ...DESTINATION_STATES, "on air": ["good", () => t("Being written")] };

const SINKS = {
  picture: () => t("Burned into the picture"),
  webvtt: () => "WebVTT",
  cea608: () => "CEA-608",
  hall: () => t("Hall page"),
  obs: () => t("Text in OBS"),
  youtube: () => "YouTube",
  files: () => t("Subtitle files"),
};

/** How it is, in a shape and a word; `stale` where nobody knows whether it still is so. */
function State({ table, state, live }) {
  const [kind, word] = table[state] ?? ["warn", () => state];
  return html`<span class="state ${live ? kind : "unknown"}"><${Shape} kind=${live ? kind : "off"} /> ${word()}</span>`;
}

function Headline({ programme, live, languages }) {
  const phase = (PHASES[programme.phase] ?? (() => programme.phase))();
  const onAir = live && programme.phase === "on air";
  const name = live ? phase : t("Unknown");
  useEffect(() => {
    document.title = `${onAir ? "● " : ""}${name} – ${programme.title || "studio"}`;
  });
  return html`<header class="headline">
    <p class="air ${onAir ? "on" : ""}" role="status"><span class="lamp"></span>${name}</p>
    <p class="time" aria-label=${t("Time on the air")}>${clock(programme.seconds)}</p>
    <h1>${programme.title}</h1>
    <${Pages} />
    ${languages}
  </header>`;
}

function Alarms({ alarms }) {
  const wrong = Object.entries(alarms ?? {}).sort(([, one], [, other]) => one.since_ms - other.since_ms);
  if (wrong.length === 0) return null;
  return html`<section class="notices alarms" role="alert" aria-label=${t("Alarms")}>
    <ul>
      ${wrong.map(([name, { text }]) => html`<li key=${name} class="error"><${Shape} kind="bad" /><span>${text}</span></li>`)}
    </ul>
  </section>`;
}

function Notices({ notices }) {
  // An alarm stands above for as long as it lasts.
  const latest = (notices ?? []).filter((notice) => !notice.about?.startsWith("alarm ")).reverse();
  if (latest.length === 0) return null;
  const line = (notice) => html`<li key=${notice.id} class=${notice.level}>
    <${Shape} kind=${notice.level === "error" ? "bad" : notice.level === "info" ? "good" : "warn"} />
    <span>${notice.text}</span>
  </li>`;
  const older = latest.slice(SHOWN_NOTICES);
  return html`<section class="notices" role="log" aria-label=${t("Messages")}>
    <ul>
      ${latest.slice(0, SHOWN_NOTICES).map(line)}
    </ul>
    ${older.length > 0 &&
    html`<details>
      <summary>${t("Earlier messages")}</summary>
      <ul>
        ${older.map(line)}
      </ul>
    </details>`}
  </section>`;
}

function Captions({ captions, language }) {
  if (!captions.on) {
    return html`<${Panel} name="captions" title=${t("Captions")}>
      <p class="quiet">${captions.why || t("Captions are switched off in this show.")}</p>
    <//>`;
  }
  const settled = (captions.settled ?? []).slice(-SHOWN_CUES);
  const silent = settled.length === 0 && !captions.tentative;
  return html`<${Panel} name="captions" title=${t("Captions")}>
    <${Degraded} sentence=${captions.degraded} />
    <div class="spoken" lang=${language}>
      <div role="log" aria-live="polite" aria-label=${t("Captions")}>
        ${settled.map((cue) => html`<p key=${cue.number}>${cue.lines.join(" ")}</p>`)}
      </div>
      ${captions.tentative && html`<p class="tentative">${captions.tentative}</p>`}
    </div>
    ${silent && html`<p class="quiet">${t("Nobody has spoken yet.")}</p>`}
  <//>`;
}

function Scenes({ scenes, live }) {
  const [asked, setAsked] = useState(null);
  const [answer, setAnswer] = useState("");
  if (!scenes.names?.length) return null;
  const take = async (scene) => {
    setAsked(scene);
    setAnswer("");
    const { outcome, reason } = await command("take", { scene });
    setAsked(null);
    setAnswer(outcome === "confirmed" || outcome === "superseded" ? "" : reason || t("Nobody confirmed this."));
  };
  return html`<${Panel} name="scenes" title=${t("Scenes")}>
    <div class="buttons">
      ${scenes.names.map(
        (scene) => html`<button
          key=${scene}
          type="button"
          disabled=${!live}
          aria-pressed=${scene === scenes.current}
          aria-busy=${scene === asked}
          onClick=${() => take(scene)}
        >
          ${scene}${scene === scenes.current && html`<small>${t("On air")}</small>`}
        </button>`,
      )}
    </div>
    <p class="answer" role="alert">${answer}</p>
  <//>`;
}

function Links({ links, live }) {
  const known = Object.keys(LINKS).filter((name) => name in links);
  const others = Object.keys(links).filter((name) => !(name in LINKS));
  return html`<${Panel} name="links" title=${t("Connections")}>
    <ul class="rows">
      ${[...known, ...others].map(
        (name) => html`<li key=${name}>
          <span class="name">${(LINKS[name] ?? (() => name))()}</span>
          <${State} table=${LINK_STATES} state=${links[name].state} live=${live} />
          ${links[name].detail && html`<span class="detail">${links[name].detail}</span>`}
        </li>`,
      )}
    </ul>
  <//>`;
}

/** Two encoders: which one airs by itself, or because somebody wants it so. */
function Inputs({ inputs, live }) {
  const [asked, setAsked] = useState(null);
  const [answer, setAnswer] = useState("");
  const names = Object.keys(INPUTS).filter((name) => name in inputs);
  if (names.length === 0) return null;
  const choose = async (name) => {
    setAsked(name);
    setAnswer("");
    const { outcome, reason } = await command("input", { name });
    setAsked(null);
    setAnswer(outcome === "confirmed" ? "" : reason || t("Nobody confirmed this."));
  };
  const detail = ({ airs, detail: said }) => [airs && t("On air"), said].filter(Boolean).join(" – ");
  return html`<${Panel} name="inputs" title=${t("Encoders")}>
    <ul class="rows">
      ${names.map(
        (name) => html`<li key=${name}>
          <span class="name">${INPUTS[name]()}</span>
          <${State} table=${LINK_STATES} state=${inputs[name].state} live=${live} />
          <span class="detail">${detail(inputs[name])}</span>
        </li>`,
      )}
    </ul>
    <div class="rows">
      <span class="buttons" role="group" aria-label=${t("Which encoder is on the air")}>
        ${Object.entries(CHOICES).map(
          ([name, word]) => html`<button
            key=${name}
            type="button"
            disabled=${!live || asked !== null}
            aria-pressed=${name === inputs.chosen}
            aria-busy=${name === asked}
            onClick=${() => choose(name)}
          >
            ${word()}
          </button>`,
        )}
      </span>
    </div>
    <p class="answer" role="alert">${answer}</p>
  <//>`;
}

/** What a destination has taken so far, and how easily. */
function figures({ size, kbps, dropped, restarts, state }) {
  if (state === "off") return "";
  const told = [bytes(size)];
  if (kbps) told.push(t("{rate} kb/s", { rate: count(kbps) }));
  if (dropped) told.push(t("{count} packets left out", { count: count(dropped) }));
  if (restarts) told.push(t("tried again {count} ×", { count: count(restarts) }));
  return told.join(" · ");
}

/** A button that must be pressed twice, for what may not happen by mistake. */
function Twice({ name, sure, disabled, busy, onClick }) {
  const [asked, setAsked] = useState(false);
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const press = () => {
    clearTimeout(timer.current);
    if (asked) onClick();
    else timer.current = setTimeout(() => setAsked(false), SURE);
    setAsked(!asked);
  };
  return html`<button type="button" class=${asked ? "sure" : ""} disabled=${disabled} aria-busy=${busy} onClick=${press}>
    ${asked ? sure : name}
  </button>`;
}

function Destination({ name, to, live, say }) {
  const [busy, setBusy] = useState(false);
  const ask = async (what) => {
    setBusy(true);
    say("");
    const { outcome, reason } = await command(`destinations.${what}`, { name });
    setBusy(false);
    say(outcome === "confirmed" ? "" : reason || t("Nobody confirmed this."));
  };
  const detail = [figures(to), to.detail].filter(Boolean).join(" – ");
  const button = { disabled: !live || busy, busy };
  return html`<li>
    <span class="name">${(DESTINATIONS[name] ?? (() => name))()}</span>
    <${State} table=${name === "recording" || name === "clean" ? RECORDING_STATES : DESTINATION_STATES} state=${to.state} live=${live} />
    <span class="detail">${detail}</span>
    ${to.destination &&
    html`<span class="buttons">
      ${(to.state === "off" || to.state === "refused") &&
      html`<button type="button" disabled=${button.disabled} aria-busy=${busy} onClick=${() => ask("add")}>
        ${to.state === "off" ? t("Send there") : t("Read the key again")}
      </button>`}
      ${to.state !== "off" &&
      html`<${Twice} ...${button} name=${t("Stop sending")} sure=${t("Press again to stop")}
        onClick=${() => ask("remove")} />`}
    </span>`}
  </li>`;
}

function Destinations({ destinations, folder, live }) {
  const [answer, setAnswer] = useState("");
  const files = folder && t("Files are in {folder}", { folder }); // outside of the template, where Babel finds it
  return html`<${Panel} name="destinations" title=${t("Destinations")}>
    <ul class="rows">
      ${Object.entries(destinations).map(
        ([name, to]) => html`<${Destination} key=${name} name=${name} to=${to} live=${live} say=${setAnswer} />`,
      )}
    </ul>
    <p class="answer" role="alert">${answer}</p>
    ${files && html`<p class="folder">${files}</p>`}
  <//>`;
}

function lateness(late) {
  if (late == null) return t("Nothing came here yet");
  if (late === 0) return t("In time");
  return t("{time} late", { time: seconds(late) });
}

function Sinks({ sinks, live }) {
  const known = Object.keys(SINKS).filter((name) => name in sinks);
  const others = Object.keys(sinks).filter((name) => !(name in SINKS));
  if (known.length + others.length === 0) return null;
  return html`<${Panel} name="sinks" title=${t("Captions go to")}>
    <ul class="rows">
      ${[...known, ...others].map(
        (name) => html`<li key=${name}>
          <span class="name">${(SINKS[name] ?? (() => name))()}</span>
          <${State} table=${LINK_STATES} state=${sinks[name].state} live=${live} />
          <span class="detail">${lateness(sinks[name].late_ms)}${sinks[name].detail && ` – ${sinks[name].detail}`}</span>
        </li>`,
      )}
    </ul>
  <//>`;
}

function Figure({ name, value, warn }) {
  return html`<div class="figure ${warn ? "warn" : ""}">
    <dt>${name}</dt>
    <dd>${warn && html`<${Shape} kind="warn" />`}${value}</dd>
  </div>`;
}

/** How long the programme waits, to be changed while it is on the air. */
function Hold({ hold, live }) {
  const [wanted, setWanted] = useState(null);
  const [busy, setBusy] = useState(false);
  const [answer, setAnswer] = useState("");
  const change = async () => {
    const length = Number.parseFloat(wanted);
    if (Number.isNaN(length)) return;
    setBusy(true);
    setAnswer("");
    const { outcome, reason } = await command("hold", { seconds: length });
    setBusy(false);
    setWanted(null);
    setAnswer(outcome === "confirmed" ? "" : reason || t("Nobody confirmed this."));
  };
  return html`<div class="hold">
    <label>
      ${t("Hold in seconds")}
      <input
        type="number"
        min="0"
        max="30"
        step="0.5"
        disabled=${!live || busy}
        value=${wanted ?? (hold ?? 0) / 1000}
        onInput=${(event) => setWanted(event.target.value)}
        onKeyDown=${(event) => event.key === "Enter" && wanted !== null && change()}
      />
    </label>
    <button type="button" disabled=${!live || busy || wanted === null} aria-busy=${busy} onClick=${change}>
      ${t("Change the hold")}
    </button>
    <p class="answer" role="alert">${answer}</p>
  </div>`;
}

function Figures({ programme, captions, live }) {
  const hold = programme.hold_ms;
  const late = captions.late_p95_ms != null && captions.late_p95_ms > hold;
  return html`<${Panel} name="figures" title=${t("Figures")}>
    <dl>
      ${captions.on &&
      html`
        <${Figure} name=${t("Captions late: half within")} value=${seconds(captions.late_p50_ms)} />
        <${Figure} name=${t("Captions late: 95 % within")} value=${seconds(captions.late_p95_ms)} warn=${late} />
        <${Figure} name=${t("Captions missed by the picture")} value=${count(captions.late_cues)}
          warn=${captions.late_cues > 0} />
        <${Figure} name=${t("Captions shown")} value=${count(captions.cues)} />
        <${Figure} name=${t("Words recognised")} value=${count(captions.words)} />
        <${Figure} name=${t("Words corrected before they aired")} value=${count(captions.corrected)} />
      `}
      <${Figure} name=${t("Hold")} value=${seconds(hold)} />
      <${Figure} name=${t("Frames on time")} value=${share(programme.on_time)} warn=${programme.on_time < 0.97} />
      <${Figure} name=${t("Frames dropped")} value=${count(programme.dropped)} warn=${programme.dropped > 0} />
      <${Figure} name=${t("Picture")} value=${programme.slate ? t("Slate") : picture(programme)} warn=${programme.slate} />
      ${programme.encoder && html`<${Figure} name=${t("Encoder")} value=${programme.encoder} />`}
      <${Figure} name=${t("Sound peak")} value=${decibels(programme.peak_db)} />
      <${Loudness} loudness=${programme.loudness ?? {}} />
    </dl>
    <${Hold} hold=${hold} live=${live} />
  <//>`;
}

function Loudness({ loudness }) {
  const { short_term, integrated, true_peak, gain } = loudness;
  return html`
    <${Figure} name=${t("Loudness, last 3 s")} value=${lufs(short_term)} />
    <${Figure} name=${t("Loudness so far")} value=${lufs(integrated)} />
    <${Figure} name=${t("Highest true peak")} value=${dbtp(true_peak)} warn=${true_peak > LOUDEST} />
    ${gain != null && html`<${Figure} name=${t("Levelling adds")} value=${decibels(gain)} />`}
  `;
}

function picture({ width, height, fps }) {
  if (!width) return "–";
  return t("{width}×{height}, {fps} fps", { width, height, fps: measured(fps) });
}

function StatusPage({ state, live, languages }) {
  const { show: evening = {}, links = {}, programme = {}, captions = {}, destinations = {}, scenes = {} } = state;
  const playable = ["on air", "stalled", "done"].includes(destinations.hls?.state);
  return html`
    <${Headline} programme=${evening} live=${live} languages=${languages} />
    <${Alarms} alarms=${state.alarms} />
    <${Notices} notices=${state.notices} />
    <main>
      <div class="stage">
        <${Player} ready=${playable} />
        <${Captions} captions=${captions} language=${evening.language} />
        ${captions.on && html`<${Sinks} sinks=${captions.sinks ?? {}} live=${live} />`}
        <${Destinations} destinations=${destinations} folder=${evening.folder} live=${live} />
      </div>
      <div class="desk">
        <${Scenes} scenes=${scenes} live=${live} />
        <${Inputs} inputs=${state.inputs ?? {}} live=${live} />
        <${Links} links=${links} live=${live} />
        <${Figures} programme=${programme} captions=${captions} live=${live} />
      </div>
    </main>
  `;
}

show(StatusPage);
