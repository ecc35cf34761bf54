// The page's language: its words come from the server's catalogue, its numbers from the browser's Intl.

import { store } from "./store.js";

export const LANGUAGES = { pl: "Polski", lt: "Lietuvių", en: "English" };
const REMEMBERED = "studio.language";

let words = {};
let formats = {};

/** The code of the language that is spoken now. */
export const language = store("en");

/** `text` in the page's language, with each {name} replaced from `values`. */
export function t(text, values = {}) {
  return (words[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Speak `code` from now on; where its words cannot be had, stay with those we have. */
export async function speak(code) {
  if (!(code in LANGUAGES)) return;
  let found = {};
  if (code !== "en") {
    try {
      const answer = await fetch(`/locale/${code}.json`);
      if (!answer.ok) return;
      found = await answer.json();
    } catch {
      return; // no connection: the banner says so
    }
  }
  words = found;
  formats = {};
  document.documentElement.lang = code;
  language.set(code);
}

/** What somebody chose on this device, or null. */
export function remembered() {
  try {
    return localStorage.getItem(REMEMBERED);
  } catch {
    return null; // storage is switched off in this browser
  }
}

/** Speak `code` now and next time. */
export function choose(code) {
  try {
    localStorage.setItem(REMEMBERED, code);
  } catch {
    // Storage is switched off: the choice holds until the page is closed.
  }
  return speak(code);
}

function format(key, make) {
  formats[key] ??= make(language.get());
  return formats[key];
}

const UNKNOWN = "–";

/** A whole number. */
export const count = (value) =>
  value == null ? UNKNOWN : format("count", (code) => new Intl.NumberFormat(code)).format(value);

/** Milliseconds, as seconds with one decimal. */
export const seconds = (ms) =>
  ms == null
    ? UNKNOWN
    : format(
        "seconds",
        (code) =>
          new Intl.NumberFormat(code, {
            style: "unit",
            unit: "second",
            unitDisplay: "narrow",
            minimumFractionDigits: 1,
            maximumFractionDigits: 1,
          }),
      ).format(ms / 1000);

/** A share of 1; cut, not rounded, for 100 % means all. */
export const share = (value) =>
  value == null
    ? UNKNOWN
    : format(
        "share",
        (code) => new Intl.NumberFormat(code, { style: "percent", minimumFractionDigits: 1 }),
      ).format(Math.floor(value * 1000) / 1000);

/** Decibels below full scale. */
export const decibels = (value) =>
  value == null
    ? UNKNOWN
    : `${format("decibels", (code) => new Intl.NumberFormat(code, { maximumFractionDigits: 0 })).format(value)} dB`;

const tenths = (value) =>
  format(
    "tenths",
    (code) => new Intl.NumberFormat(code, { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
  ).format(value);

/** Loudness, by EBU R128. */
export const lufs = (value) => (value == null ? UNKNOWN : `${tenths(value)} LUFS`);

/** A true peak, by EBU R128. */
export const dbtp = (value) => (value == null ? UNKNOWN : `${tenths(value)} dBTP`);

/** Frames a second, or another measured number. */
export const measured = (value) =>
  value == null
    ? UNKNOWN
    : format("measured", (code) => new Intl.NumberFormat(code, { maximumFractionDigits: 1 })).format(value);

/** Bytes, in the unit that reads best. */
export function bytes(value) {
  if (value == null) return UNKNOWN;
  const [unit, size] = value < 1e6 ? ["kilobyte", 1e3] : value < 1e9 ? ["megabyte", 1e6] : ["gigabyte", 1e9];
  return format(
    unit,
    (code) => new Intl.NumberFormat(code, { style: "unit", unit, maximumFractionDigits: unit === "gigabyte" ? 2 : 0 }),
  ).format(value / size);
}

/** Seconds of an evening, as h:mm:ss: the one way that all our languages write it. */
export function clock(value) {
  const whole = Math.max(0, Math.floor(value ?? 0));
  const two = (part) => String(part).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

/** A moment of today. */
export const moment = (date) =>
  format("moment", (code) => new Intl.DateTimeFormat(code, { timeStyle: "medium" })).format(date);

/** A day, as briefly as it stays clear. */
export const day = (date) =>
  format("day", (code) => new Intl.DateTimeFormat(code, { dateStyle: "medium" })).format(date);

/** Milliseconds of a film as h:mm:ss.mmm: how a cue's times are written in all our languages. */
export function stamp(value) {
  const at = Math.max(0, Math.round(value ?? 0));
  return `${clock(at / 1000)}.${String(at % 1000).padStart(3, "0")}`;
}

/** What somebody wrote for a time, [h:]mm:ss[.mmm], in milliseconds; null where it is none. */
export function parseStamp(text) {
  const found = /^(?:(\d+):)?([0-5]?\d):([0-5]?\d)(?:[.,](\d{1,3}))?$/.exec(text.trim());
  if (!found) return null;
  const [, hours = "0", minutes, secs, rest = "0"] = found;
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(secs)) * 1000 + Number(rest.padEnd(3, "0"));
}
