// How a cue stands against its reading profile while it is typed. What counts in the end is what the server finds:
// this is the same measure for the one cue under somebody's hands, before it is saved.

import { measured, seconds, t } from "./words.js";

/** Characters that are read: those of all lines, and one for each break between them. */
export const characters = (lines) => lines.reduce((sum, line) => sum + [...line].length, Math.max(0, lines.length - 1));

/** Characters a second. */
export const speed = (cue) => (characters(cue.lines) * 1000) / Math.max(1, cue.end - cue.start);

const words = (line) => line.split(/\s+/).filter(Boolean);
const bare = (word) => word.toLocaleLowerCase().replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "");

/** What breaks the profile `rules` in `cue`, as sentences; `next` is the cue after it, or undefined. */
export function check(cue, next, rules) {
  const found = [];
  const long = Math.max(0, ...cue.lines.map((line) => [...line].length));
  if (long > rules.line_characters) {
    found.push(t("Characters in a line: {n}, at most {most}", { n: long, most: rules.line_characters }));
  }
  if (cue.lines.length > rules.lines) {
    found.push(t("Lines: {n}, at most {most}", { n: cue.lines.length, most: rules.lines }));
  }
  const fast = speed(cue);
  if (fast > rules.characters_per_second + 0.05) {
    const values = { n: measured(fast), most: measured(rules.characters_per_second) };
    found.push(t("Characters a second: {n}, at most {most}", values));
  }
  const span = cue.end - cue.start;
  if (span < rules.shortest) found.push(t("Stands for {n}, at least {least}", { n: seconds(span), least: seconds(rules.shortest) }));
  if (span > rules.longest) found.push(t("Stands for {n}, at most {most}", { n: seconds(span), most: seconds(rules.longest) }));
  if (next && next.start < cue.end) found.push(t("Still stands when the next one comes"));
  else if (next && next.start - cue.end < rules.gap) found.push(t("Too close to the next one"));
  const bound = new Set(rules.bound);
  for (const line of cue.lines) {
    const last = words(line).at(-1) ?? "";
    if (bound.has(bare(last)) && line !== cue.lines.at(-1)) found.push(t("A line ends in “{word}”", { word: last }));
  }
  return found;
}

/** The words of a cue's lines as `[{text, word}]` for each line, where `word` is what was heard there, or null. */
export function heardIn(cue) {
  let at = 0;
  return cue.lines.map((line) =>
    words(line).map((text) => {
      const same = bare(text);
      for (let ahead = at; ahead < Math.min(cue.words.length, at + 4); ahead += 1) {
        if (bare(cue.words[ahead].text) === same) {
          at = ahead + 1;
          return { text, word: cue.words[ahead] };
        }
      }
      return { text, word: null };
    }),
  );
}

export const DOUBT = 0.5;
const UNSURE = 0.75;

/** The class of a word by how sure the recogniser was of it. */
export function surety(word) {
  if (!word || word.confidence == null) return "";
  if (word.confidence < DOUBT) return "doubt";
  return word.confidence < UNSURE ? "unsure" : "";
}

/** Whether a cue has a word that the recogniser doubted and nobody has put right. */
export const isDoubtful = (cue) =>
  cue.by === "machine" && cue.words.some((word) => word.confidence != null && word.confidence < DOUBT);
