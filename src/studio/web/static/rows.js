// A list of thousands of rows of one height, of which only those in sight are drawn.

import { useEffect, useLayoutEffect, useRef, useState } from "/vendor/hooks.js";
import { html } from "./parts.js";

const BEYOND = 6; // rows drawn above and below what is in sight, so that scrolling shows no gaps

/**
 * `items` in rows of `height` px; `draw(item, place)` gives the inside of one. `shown`: the place that is kept in
 * sight whenever it changes, or -1.
 */
export function Rows({ items, height, draw, keyOf, label, shown = -1, name = "" }) {
  const frame = useRef(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const look = () => {
    const { scrollTop, clientHeight } = frame.current;
    setView({ top: scrollTop, height: clientHeight });
  };
  useLayoutEffect(() => {
    look();
    const watch = new ResizeObserver(look);
    watch.observe(frame.current);
    return () => watch.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (shown < 0) return;
    const { scrollTop, clientHeight } = frame.current;
    const top = shown * height;
    if (top < scrollTop + height) frame.current.scrollTop = Math.max(0, top - height);
    else if (top + 2 * height > scrollTop + clientHeight) frame.current.scrollTop = top + 3 * height - clientHeight;
  }, [shown, height]);
  useEffect(look, [items.length]);
  const first = Math.max(0, Math.floor(view.top / height) - BEYOND);
  const last = Math.min(items.length, Math.ceil((view.top + view.height) / height) + BEYOND);
  const seen = items.slice(first, last);
  return html`<div class="rows-frame ${name}" ref=${frame} onScroll=${look} tabindex="-1">
    <ul class="rows-all" aria-label=${label} style=${{ height: `${items.length * height}px` }}>
      ${seen.map(
        (item, nth) => html`<li
          key=${keyOf(item)}
          aria-setsize=${items.length}
          aria-posinset=${first + nth + 1}
          style=${{ height: `${height}px`, transform: `translateY(${(first + nth) * height}px)` }}
        >
          ${draw(item, first + nth)}
        </li>`,
      )}
    </ul>
  </div>`;
}
