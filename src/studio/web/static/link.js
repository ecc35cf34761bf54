// The one WebSocket to the house: its state comes down, our commands go up.

import { store } from "./store.js";
import { t } from "./words.js";

const SILENCE = 6000; // ms; the house says something every 2 s, so this is three beats missed
const BACK_OFF = [250, 500, 1000, 2000];
const MARKS = 32; // messages; the quickest of them tells the house's clock best

/**
 * `state`: the house's state, or null before the first snapshot. `live`: whether it is true at this moment.
 * `since`: when it last was, or null.
 */
export const house = store({ state: null, live: false, since: null });

let socket = null;
let version = -1;
let tries = 0;
let silence = 0;
let resyncing = false;
let number = 0;
const waiting = new Map();
let marks = []; // of the last messages: how far the house's clock was ahead of ours

/** `target` after the merge patch `patch` (RFC 7386); neither is changed. */
export function patched(target, patch) {
  if (patch === null || typeof patch !== "object" || Array.isArray(patch)) return patch;
  const plain = target !== null && typeof target === "object" && !Array.isArray(target);
  const result = plain ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = patched(result[key], value);
  }
  return result;
}

/** Milliseconds on the show clock, or null while nobody knows. It runs on between two messages. */
export function showNow() {
  const epoch = house.get().state?.show?.epoch_ms;
  if (epoch == null || marks.length === 0) return null;
  return performance.now() + Math.max(...marks) - epoch;
}

/** Ask the house to do something; resolves to {outcome, reason} and never rejects. */
export function command(name, values = {}) {
  if (!house.get().live) {
    return Promise.resolve({ outcome: "refused", reason: t("There is no connection to studio; nothing was sent.") });
  }
  const id = ++number;
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    socket.send(JSON.stringify({ id, name, arguments: values }));
  });
}

/** Connect, and stay connected. */
export function connect() {
  const ours = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
  socket = ours;
  version = -1;
  resyncing = false;
  listenFor(ours);
  ours.onmessage = (event) => {
    listenFor(ours);
    take(JSON.parse(event.data));
  };
  ours.onclose = () => lose(ours);
}

function listenFor(ours) {
  clearTimeout(silence);
  // A half-open connection is never closed by the browser: after so much silence it is lost for us.
  silence = setTimeout(() => {
    ours.onmessage = null;
    ours.close();
    lose(ours);
  }, SILENCE);
}

function lose(ours) {
  if (socket !== ours) return;
  socket = null;
  clearTimeout(silence);
  const before = house.get();
  house.set({ ...before, live: false, since: before.live ? new Date() : before.since });
  for (const resolve of waiting.values()) {
    resolve({ outcome: "unconfirmed", reason: t("The connection was lost before an answer came.") });
  }
  waiting.clear();
  setTimeout(connect, BACK_OFF[Math.min(tries, BACK_OFF.length - 1)]);
  tries += 1;
}

function take(message) {
  if (message.at !== undefined && version < 0) marks = []; // a new connection, perhaps to another machine
  if (message.at !== undefined) marks = [...marks.slice(1 - MARKS), message.at - performance.now()];
  switch (message.kind) {
    case "snapshot":
      version = message.version;
      tries = 0;
      resyncing = false;
      house.set({ state: message.state, live: true, since: null });
      break;
    case "diff":
      if (message.version === version + 1) {
        version = message.version;
        house.set({ ...house.get(), state: patched(house.get().state, message.patch) });
      } else if (message.version > version) {
        resync();
      }
      break;
    case "beat":
      if (message.version !== version) resync();
      break;
    case "outcome":
      waiting.get(message.id)?.({ outcome: message.outcome, reason: message.reason });
      waiting.delete(message.id);
      break;
  }
}

function resync() {
  if (resyncing) return;
  resyncing = true;
  socket.send(JSON.stringify({ kind: "resync" }));
}
