// The takes of a session: how each looks and sounds, and what it is worth.

import { useEffect, useRef, useState } from "/vendor/hooks.js";
import { html, Panel, Shape } from "./parts.js";
import { clock, measured, t } from "./words.js";

const STARS = [1, 2, 3, 4, 5];

function Wave({ take, at, onSeek }) {
  const [peaks, setPeaks] = useState([]);
  useEffect(() => {
    let over = false;
    const look = async () => {
      try {
        const answer = await fetch(`/api/vocal/takes/${take.number}/wave`);
        if (!over && answer.ok) setPeaks(await answer.json());
      } catch {
        // studio is gone: the page says so above
      }
    };
    if (take.ended !== null) look();
    return () => {
      over = true;
    };
  }, [take.number, take.ended]);
  const loud = (peak) => Math.max(0.02, 1 + Math.max(-54, 20 * Math.log10(Math.max(peak, 1e-9))) / 54);
  const path = peaks.map((peak, n) => `M${n + 0.5} ${20 - 19 * loud(peak)}v${38 * loud(peak)}`).join("");
  const seek = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    onSeek(((event.clientX - box.left) / box.width) * take.seconds);
  };
  return html`<svg class="wave" viewBox="0 0 ${peaks.length || 1} 40" preserveAspectRatio="none" aria-hidden="true" onClick=${seek}>
    <path d=${path} />
    ${peaks.length > 0 && html`<rect x=${(at / take.seconds) * peaks.length - 0.25} y="0" width="0.5" height="40" />`}
  </svg>`;
}

function Take({ take, act }) {
  const sound = useRef(null);
  const [at, setAt] = useState(0);
  const [playing, setPlaying] = useState(false);
  const [text, setText] = useState("");
  const [broken, setBroken] = useState(false);
  const over = take.ended !== null;
  const length = over ? clock(take.seconds) : t("being recorded"); // outside of the template, where Babel finds it
  const toggle = () => (playing ? sound.current.pause() : sound.current.play().catch(() => setBroken(true)));
  const seek = (seconds) => {
    sound.current.currentTime = seconds;
    setAt(seconds);
  };
  const comment = async (event) => {
    event.preventDefault();
    if (text.trim() && (await act("/comment", { number: take.number, seconds: Math.min(at, take.seconds), text }))) setText("");
  };
  return html`<li class="take ${take.keeper ? "keeper" : ""}" data-take=${take.number}>
    <span class="which"><strong>${take.number}</strong> ${take.song}</span>
    <button type="button" disabled=${!over || take.seconds === 0} aria-label=${playing ? t("Pause take {number}", { number: take.number }) : t("Play take {number}", { number: take.number })} onClick=${toggle}>${playing ? "❚❚" : "▶"}</button>
    <${Wave} take=${take} at=${at} onSeek=${seek} />
    <span class="number">${length}</span>
    <span class="worth">
      <button type="button" aria-pressed=${take.keeper} disabled=${!over} onClick=${() => act("/keep", { number: take.number, keeper: !take.keeper })}>${t("Keep")}</button>
      <span role="group" aria-label=${t("Stars")}>
        ${STARS.map(
          (n) => html`<button key=${n} type="button" class="star" disabled=${!over} aria-pressed=${n === take.stars} aria-label=${t("Stars: {n}", { n })} onClick=${() => act("/keep", { number: take.number, keeper: take.keeper, stars: n === take.stars ? 0 : n })}>${n <= take.stars ? "★" : "☆"}</button>`,
        )}
      </span>
    </span>
    <div class="remarks">
      ${take.ended && html`<p class="refused"><${Shape} kind="bad" /> ${take.ended}</p>`}
      ${take.lost > 0 && html`<p class="refused"><${Shape} kind="bad" /> ${t("{ms} ms were lost", { ms: measured(take.lost * 1000) })}</p>`}
      ${take.absent.length > 0 && html`<p class="refused"><${Shape} kind="bad" /> ${t("not recorded: {tracks}", { tracks: take.absent.join(", ") })}</p>`}
      ${broken && html`<p class="refused" role="alert">${t("This take cannot be played.")}</p>`}
      ${take.comments.map((said) => html`<button type="button" class="said" key=${`${said.seconds}.${said.text}`} onClick=${() => seek(said.seconds)}>${clock(said.seconds)} ${said.text}</button>`)}
      ${over &&
      html`<form onSubmit=${comment}>
        <span class="quiet">${t("Comment at {time}", { time: clock(at) })}</span>
        <input aria-label=${t("Comment on take {number}", { number: take.number })} value=${text} maxlength="1000" onInput=${(event) => setText(event.target.value)} />
      </form>`}
    </div>
    ${over &&
    html`<audio ref=${sound} preload="none" src="/api/vocal/takes/${take.number}/sound" onPlay=${() => setPlaying(true)} onPause=${() => setPlaying(false)} onTimeUpdate=${(event) => setAt(event.target.currentTime)}></audio>`}
  </li>`;
}

export function Takes({ takes, act }) {
  return html`<${Panel} name="takes" title=${t("Takes")}>
    ${takes.length === 0 && html`<p class="quiet">${t("No take yet.")}</p>`}
    <ul>${takes.map((take) => html`<${Take} key=${take.number} take=${take} act=${act} />`)}</ul>
  <//>`;
}
