// What was typed and is not in the library yet, kept on this device: each page that is open has a place of its own, so
// that two of one film never write over each other's. A page that is gone leaves its place behind; the next one that is
// opened finds it.

const KEPT = "studio.film.";
const PATIENCE = 300; // ms in which another page says that it is there; one that does not is gone, or sleeps

function read(place) {
  try {
    return JSON.parse(localStorage.getItem(place) ?? "null");
  } catch {
    return null;
  }
}

/** Where drafts of `name`, a film and its language, are kept on this device. */
export function draftsOf(name) {
  const stem = `${KEPT}${name}`;
  const mine = `${stem}.${[...crypto.getRandomValues(new Uint8Array(8))].map((each) => each.toString(16)).join("")}`;
  const open = new Set(); // places of other pages that are open now
  const others = "BroadcastChannel" in window ? new BroadcastChannel(stem) : null;
  let told = () => {};
  others?.addEventListener("message", ({ data }) => {
    if (data === "who") others.postMessage(mine);
    else {
      open.add(data);
      told(data); // it may have been slow to answer
    }
  });
  window.addEventListener("storage", ({ key, newValue }) => newValue === null && told(key));

  const places = () => {
    try {
      return Object.keys(localStorage).filter((place) => place === stem || place.startsWith(`${stem}.`));
    } catch {
      return []; // storage is switched off
    }
  };
  return {
    /** Keep `drafts`, a Map, and nothing else of this page. */
    keep(drafts) {
      try {
        if (drafts.size === 0) localStorage.removeItem(mine);
        else localStorage.setItem(mine, JSON.stringify({ at: Date.now(), drafts: [...drafts] }));
      } catch {
        // storage is switched off or full: the page itself still has them
      }
    },
    /** As `left`, once the other pages were asked whether they are there. */
    async ask() {
      others?.postMessage("who");
      if (others) await new Promise((done) => setTimeout(done, PATIENCE));
      return this.left();
    },
    /** What pages that are gone have left: {at, drafts: [[cue, draft]], places}, of one cue the newest; else null. */
    left() {
      const found = places().filter((place) => place !== mine && !open.has(place));
      const kept = found.map(read).filter((each) => each?.drafts?.length);
      if (kept.length === 0) return null;
      kept.sort((one, other) => one.at - other.at);
      const drafts = new Map(kept.flatMap((each) => each.drafts));
      return { at: kept.at(-1).at, drafts: [...drafts], places: found };
    },
    /** Nobody needs what is kept in `gone` any more. */
    forget(gone) {
      try {
        for (const place of gone) localStorage.removeItem(place);
      } catch {
        // storage is switched off
      }
    },
    /** Have `heed` called with a place of which another page has said what becomes, or that it is its own. */
    follow(heed) {
      told = heed;
    },
  };
}
