// Captions at once, for a projector beside the stage: what is said and nothing else.
// /hall?size=10&lines=3&lang=en: the letters' size in hundredths of the height, how many lines, and `en` for the
// translation where the show has one.

import { html, show } from "./parts.js";
import { Spoken, within } from "./spoken.js";

const SIZE = within("size", 10, 2, 40);
const LINES = Math.round(within("lines", 3, 1, 10));

function HallPage({ state }) {
  return html`<${Spoken} state=${state} size=${SIZE} lines=${LINES} />`;
}

show(HallPage, { bare: true });
