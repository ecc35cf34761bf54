// The picture of a film, with the cue of the moment on it; where this browser cannot show it, a small copy of it if there
// is one, else at least its sound.

import { useEffect, useRef, useState } from "/vendor/hooks.js";
import { ask } from "./film-desk.js";
import { html } from "./parts.js";
import { clock, share, t } from "./words.js";

const FRAME = 1000 / 30; // ms: a cue comes and goes with the picture, not four times a second as `timeupdate` does
const ASK_AGAIN = 1000; // ms, while a copy is being made

/** How far the small copy of the film below `path` is, asked for as soon as it is `wanted`; and a way to have it made. */
function useCopy(path, wanted) {
  const [copy, setCopy] = useState({ state: "" });
  const under = copy.state === "waiting" || copy.state === "making";
  const told = ({ status, said }) => {
    if (status === 200) setCopy(said);
    else if (said.reason) setCopy({ state: "failed", why: said.reason });
  };
  useEffect(() => {
    if (!wanted) return;
    let over = false;
    const look = () => ask(`${path}/copy`).then((answer) => !over && answer.status !== 0 && told(answer));
    look();
    const timer = under && setInterval(look, ASK_AGAIN);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [path, wanted, under]);
  return [copy, () => ask(`${path}/copy`, {}).then(told)];
}

function Copy({ copy, onMake }) {
  if (copy.state === "waiting") return html`<p class="quiet" role="status">${t("The small copy waits for another one to be made.")}</p>`;
  if (copy.state === "making") return html`<p class="quiet" role="status">${t("The small copy is being made: {share}", { share: share(copy.share) })}</p>`;
  if (copy.state !== "none" && copy.state !== "failed") return null;
  return html`<p>
    <button type="button" onClick=${onMake}>${t("Make a small copy that can be seen here")}</button>
    ${copy.why && html`<span class="warn">${copy.why}</span>`}
  </p>`;
}

export function Picture({ video, path, media, cues, onTime }) {
  const [heard, setHeard] = useState(!media.picture); // the film itself cannot be shown
  const [why, setWhy] = useState(media.why);
  const [at, setAt] = useState(0);
  const [paused, setPaused] = useState(true);
  const [copied, setCopied] = useState(media.copied); // a small copy can be made, or is there, and can be shown
  const [copy, make] = useCopy(path, heard && copied);
  const latest = useRef({});
  latest.current = { onTime };
  const shows = heard && copied && copy.state === "ready";
  const sound = heard && !shows;
  const source = shows ? "small" : sound ? "sound" : "media";
  const playing = useRef({ source, at: 0 });
  if (playing.current.source !== source) playing.current = { source, at };
  const back = () => {
    if (playing.current.at) video.current.currentTime = playing.current.at / 1000;
    playing.current.at = 0;
  };
  useEffect(() => {
    let last = -1;
    const timer = setInterval(() => {
      const time = video.current?.currentTime ?? 0;
      if (time === last) return;
      last = time;
      setAt(time * 1000);
      latest.current.onTime();
    }, FRAME);
    return () => clearInterval(timer);
  }, []);
  const failed = () => {
    if (heard || !media.sound) setWhy(t("This film can be neither shown nor heard here; its subtitles can be edited all the same."));
    else setWhy(t("This browser cannot show the picture of this film; you hear its sound."));
    if (shows) setCopied(false);
    setHeard(true);
  };
  const shown = cues.filter((cue) => cue.start <= at && at < cue.end);
  const toggle = () => (video.current.paused ? video.current.play().catch(() => {}) : video.current.pause());
  return html`<section class="picture" aria-label=${t("Picture")}>
    <div class="screen ${sound ? "blind" : ""}">
      <video ref=${video} src=${sound && !media.sound ? null : `${path}/${source}`} preload="auto" playsinline onError=${failed} onLoadedMetadata=${back}
        onPlay=${() => setPaused(false)} onPause=${() => setPaused(true)} onClick=${toggle}></video>
      ${shown.map((cue) => html`<p class="on-picture" key=${cue.id}>
        ${cue.lines.map((line, nth) => html`<span key=${nth}>${line}</span>`)}
      </p>`)}
      ${sound && why && html`<div class="no-picture"><p role="status">${why}</p>${copied && html`<${Copy} copy=${copy} onMake=${make} />`}</div>`}
    </div>
    <div class="transport">
      <button type="button" onClick=${toggle} aria-label=${paused ? t("Play") : t("Pause")}>${paused ? "▶" : "❚❚"}</button>
      <span class="clock">${clock(at / 1000)}<small>.${String(Math.floor(at % 1000)).padStart(3, "0")}</small></span>
    </div>
  </section>`;
}
