// A value that components follow.

import { useEffect, useState } from "/vendor/hooks.js";

/** Hold `value`; `set` replaces it and tells every follower. */
export function store(value) {
  const followers = new Set();
  return {
    get: () => value,
    set(next) {
      value = next;
      for (const follower of [...followers]) follower();
    },
    follow(follower) {
      followers.add(follower);
      return () => followers.delete(follower);
    },
  };
}

/** The value of `source`; the component is drawn anew when it changes. */
export function useStore(source) {
  const [, redraw] = useState(0);
  useEffect(() => {
    const again = () => redraw((count) => count + 1);
    again(); // it may have changed between drawing and following
    return source.follow(again);
  }, [source]);
  return source.get();
}

/** Draw the component anew every `pause` milliseconds while `on`. */
export function useTick(pause, on = true) {
  const [, redraw] = useState(0);
  useEffect(() => {
    if (!on) return undefined;
    const timer = setInterval(() => redraw((count) => count + 1), pause);
    return () => clearInterval(timer);
  }, [pause, on]);
}
