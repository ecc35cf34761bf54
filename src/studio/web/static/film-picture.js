// The picture of a film, with the cue of the moment on it; where this browser cannot show it, at least its sound.

import { useEffect, useRef, useState } from "/vendor/hooks.js";
import { html } from "./parts.js";
import { clock, t } from "./words.js";

const FRAME = 1000 / 30; // ms: a cue comes and goes with the picture, not four times a second as `timeupdate` does

export function Picture({ video, path, media, cues, onTime }) {
  const [sound, setSound] = useState(!media.picture);
  const [why, setWhy] = useState(media.why);
  const [at, setAt] = useState(0);
  const [paused, setPaused] = useState(true);
  const latest = useRef({});
  latest.current = { onTime };
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
    if (sound || !media.sound) setWhy(t("This film can be neither shown nor heard here; its subtitles can be edited all the same."));
    else {
      setSound(true);
      setWhy(t("This browser cannot show the picture of this film; you hear its sound."));
    }
  };
  const shown = cues.filter((cue) => cue.start <= at && at < cue.end);
  const toggle = () => (video.current.paused ? video.current.play().catch(() => {}) : video.current.pause());
  return html`<section class="picture" aria-label=${t("Picture")}>
    <div class="screen ${sound ? "blind" : ""}">
      <video ref=${video} src=${sound && !media.sound ? null : `${path}/${sound ? "sound" : "media"}`} preload="auto" playsinline onError=${failed}
        onPlay=${() => setPaused(false)} onPause=${() => setPaused(true)} onClick=${toggle}></video>
      ${shown.map((cue) => html`<p class="on-picture" key=${cue.id}>
        ${cue.lines.map((line, nth) => html`<span key=${nth}>${line}</span>`)}
      </p>`)}
      ${why && html`<p class="no-picture" role="status">${why}</p>`}
    </div>
    <div class="transport">
      <button type="button" onClick=${toggle} aria-label=${paused ? t("Play") : t("Pause")}>${paused ? "▶" : "❚❚"}</button>
      <span class="clock">${clock(at / 1000)}<small>.${String(Math.floor(at % 1000)).padStart(3, "0")}</small></span>
    </div>
  </section>`;
}
