// Fetches the live part anew and puts it in place, keeping what is folded or
// unfolded, the focus and the place to which the table is scrolled.
"use strict";

(() => {
  const live = document.getElementById("live");
  const lost = document.getElementById("lost");
  const every = Number(live.dataset.every) * 1000;

  const folded = () => {
    const open = new Map();
    for (const d of live.querySelectorAll("details[data-key]")) open.set(d.dataset.key, d.open);
    return open;
  };

  const focused = () => {
    const d = document.activeElement && document.activeElement.closest("details[data-key]");
    return d ? d.dataset.key : null;
  };

  const replace = (html) => {
    const open = folded();
    const focus = focused();
    const tree = live.querySelector(".tree");
    const left = tree ? tree.scrollLeft : 0;
    live.innerHTML = html;
    for (const d of live.querySelectorAll("details[data-key]")) {
      if (open.has(d.dataset.key)) d.open = open.get(d.dataset.key);
      if (d.dataset.key === focus) d.querySelector("summary").focus({ preventScroll: true });
    }
    const again = live.querySelector(".tree");
    if (again) again.scrollLeft = left;
  };

  const refresh = async () => {
    try {
      const answer = await fetch("live", { signal: AbortSignal.timeout(30000) });
      if (!answer.ok) throw new Error(answer.statusText);
      replace(await answer.text());
      lost.hidden = true;
    } catch {
      lost.hidden = false;
    }
    setTimeout(refresh, every);
  };

  setTimeout(refresh, Math.min(every, 3000));
})();
