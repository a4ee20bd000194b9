// A little help where there is a script; every page works without.
"use strict";
for (const one of document.querySelectorAll("[data-print]")) {
  one.hidden = false;
  one.addEventListener("click", () => window.print());
}
// a form is sent once: pressed again while it is under way, nothing happens
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
});
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});
// what notes and coins come to while they are counted, and how far it is from what should be there
for (const sum of document.querySelectorAll("[data-count-of]")) {
  const pieces = document.querySelectorAll("[data-piece]");
  const count = () => {
    let yen = 0;
    for (const one of pieces) yen += Number(one.dataset.piece) * (Number(one.value.replace(/,/g, "")) || 0);
    const differs = yen - Number(sum.dataset.countOf);
    const money = (one) => (one < 0 ? "−" : "") + sum.dataset.nought.replace("0", Math.abs(one).toLocaleString("en"));
    sum.value = `${money(yen)} (${differs > 0 ? "+" : ""}${money(differs)})`;
  };
  for (const one of pieces) one.addEventListener("input", count);
  count();
}
