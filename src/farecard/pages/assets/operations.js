// Long work tells how far it is by itself; without a script there is a link that does.
"use strict";
const EVERY = 1500; // milliseconds
async function again() {
  const old = document.querySelector("[data-refresh]");
  if (!old) return;
  try {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(old.id);
      // it is over: the whole page has more to say
      if (!fresh || !("refresh" in fresh.dataset)) return location.reload();
      old.replaceWith(fresh);
    }
  } catch {
    // the line is gone for a moment: asked again
  }
  setTimeout(again, EVERY);
}
if (document.querySelector("[data-refresh]")) setTimeout(again, EVERY);
