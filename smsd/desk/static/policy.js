// Counts down to what is queued, and follows a study until it has ended.

const SECOND_MS = 1000;
const LOOK_MS = 1000;

function told(leftMs, units) {
  let rest = Math.max(0, Math.round(leftMs / SECOND_MS));
  const words = [];
  for (const [size, unit] of [[86400, units[0]], [3600, units[1]], [60, units[2]], [1, units[3]]]) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count || words.length) words.push(`${count}\u00a0${unit}`);
    if (words.length === 2) break;
  }
  return words.join(" ") || `0\u00a0${units[3]}`;
}

// The daemon's clock counts, not this device's: both instants come from there.
for (const place of document.querySelectorAll("[data-due]")) {
  const leftMs = Number(place.dataset.due) - Number(place.dataset.now);
  const begun = performance.now();
  const units = place.dataset.units.split("|");
  const timer = setInterval(() => {
    const left = leftMs - (performance.now() - begun);
    place.textContent = told(left, units);
    if (left < -3 * SECOND_MS) {
      clearInterval(timer);
      if (!document.querySelector("form :focus")) location.reload();
    }
  }, SECOND_MS);
}

const study = document.querySelector("[data-study]");
if (study) {
  const words = study.querySelector("#study-words");
  const bar = study.querySelector("progress");
  const look = async () => {
    try {
      const answer = await fetch(study.dataset.study, { headers: { Accept: "application/json" } });
      if (answer.ok) {
        const state = await answer.json();
        if (state.ended) return location.replace(location.pathname);
        if (words.textContent !== state.words) words.textContent = state.words;
        bar.value = state.fraction;
      }
    } catch { /* the daemon may be starting again: ask on */ }
    setTimeout(look, LOOK_MS);
  };
  setTimeout(look, LOOK_MS);
}
