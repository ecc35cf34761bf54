// The programme as the hall receives it: HLS by hls.js, which also shows its subtitle track.

import { useEffect, useRef, useState } from "/vendor/hooks.js";
import { html } from "./parts.js";
import { t } from "./words.js";

const AGAIN = 2000; // ms between two tries to get a programme that is not there yet
const PLAYLIST = "/hls/master.m3u8";

const SETTINGS = {
  workerPath: "/vendor/hls-worker.js", // a file of ours: the policy allows no script made at run time
  liveSyncDurationCount: 2,
  backBufferLength: 30,
};

async function start(video, told) {
  const { default: Hls } = await import("/vendor/hls.js");
  if (!Hls.isSupported()) {
    told.trouble(true);
    return { stop() {}, subtitles() {} };
  }
  const hls = new Hls(SETTINGS);
  let again = 0;
  let wanted = false;
  const choose = () => {
    hls.subtitleDisplay = wanted;
    hls.subtitleTrack = wanted ? 0 : -1;
  };
  hls.on(Hls.Events.SUBTITLE_TRACKS_UPDATED, (_event, data) => {
    told.tracks(data.subtitleTracks.length > 0);
    choose();
  });
  hls.on(Hls.Events.MANIFEST_PARSED, () => {
    video.play().catch(() => {}); // a browser that wants a click first shows its play button
  });
  hls.on(Hls.Events.ERROR, (_event, data) => {
    if (!data.fatal) return;
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR) {
      hls.recoverMediaError();
      return;
    }
    clearTimeout(again);
    again = setTimeout(() => hls.loadSource(PLAYLIST), AGAIN);
  });
  hls.attachMedia(video);
  hls.loadSource(PLAYLIST);
  return {
    stop() {
      clearTimeout(again);
      hls.destroy();
    },
    subtitles(on) {
      wanted = on;
      choose();
    },
  };
}

/** Plays what is on the air while `ready`; captions are burned in already, so the text track waits for its button. */
export function Player({ ready }) {
  const video = useRef(null);
  const player = useRef(null);
  const [tracks, setTracks] = useState(false);
  const [subtitles, setSubtitles] = useState(false);
  const [trouble, setTrouble] = useState(false);

  useEffect(() => {
    if (!ready) return undefined;
    let gone = false;
    start(video.current, { tracks: setTracks, trouble: setTrouble }).then((started) => {
      if (gone) started.stop();
      else player.current = started;
    });
    return () => {
      gone = true;
      player.current?.stop();
      player.current = null;
      setTracks(false);
    };
  }, [ready]);
  useEffect(() => player.current?.subtitles(subtitles), [subtitles, tracks]);

  return html`<section class="player" aria-label=${t("Programme")}>
    <video ref=${video} controls muted playsinline></video>
    ${!ready && html`<p class="waiting">${t("The picture comes as soon as the programme is on the air.")}</p>`}
    ${trouble && html`<p class="waiting">${t("This browser cannot play the programme; try a newer one.")}</p>`}
    ${tracks &&
    html`<button type="button" class="track" aria-pressed=${subtitles} onClick=${() => setSubtitles(!subtitles)}>
      ${t("Subtitle track")}
    </button>`}
  </section>`;
}
