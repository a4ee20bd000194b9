// The station machine's own help: a number pad, time that runs out, a tone, a card that lies on the reader.
"use strict";
const body = document.body;
const atStart = location.pathname === "/machine";

// -- the number pad, and a scanner that types wherever one is
for (const pad of document.querySelectorAll("[data-pad]")) {
  const field = document.getElementById(pad.dataset.pad);
  pad.hidden = false;
  pad.addEventListener("click", (event) => {
    const key = event.target.closest("button")?.dataset.key;
    if (!key) return;
    field.value = key === "clear" ? "" : key === "back" ? field.value.slice(0, -1) : field.value + key;
  });
  document.addEventListener("keydown", (event) => {
    const busy = event.target.closest("input, select, dialog");
    if (!busy && /^[0-9A-Za-z]$/.test(event.key) && !event.ctrlKey && !event.altKey && !event.metaKey) field.focus();
  });
}

// -- nobody there any more: a question, then back to the start
const still = document.getElementById("still");
if (body.dataset.idle) {
  const idle = Number(body.dataset.idle) * 1000;
  const answer = Number(body.dataset.answer) * 1000;
  let timer = 0;
  // at the start somebody is there once a number is typed, or a card lies on the reader
  const begun = () => !atStart || document.getElementById("number").value || document.querySelector("[data-found]:not([hidden])");
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, idle);
  };
  const leave = () => location.assign("/machine/end");
  const ask = () => {
    if (!begun()) return leave(); // quietly: in the language of the place, for whoever comes next
    still.showModal();
    timer = setTimeout(leave, answer);
  };
  const touched = () => still.open || wait();
  for (const one of ["pointerdown", "keydown", "input"]) document.addEventListener(one, touched);
  still.querySelector("[data-stay]").addEventListener("click", () => {
    still.close();
    wait();
  });
  still.addEventListener("close", touched); // by the Escape key, too
  window.addEventListener("pageshow", wait);
  wait();
}

// -- a tone for each touch, when somebody wants one; it is off again for the next person
const tone = document.querySelector("[data-sound]");
let audio = null;
const sounds = () => sessionStorage.getItem("sound") === "on";
const show = () => tone.setAttribute("aria-pressed", String(sounds()));
const beep = () => {
  audio ??= new AudioContext();
  const voice = audio.createOscillator();
  const loud = audio.createGain();
  voice.frequency.value = 880;
  loud.gain.setValueAtTime(0.15, audio.currentTime);
  loud.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.08);
  voice.connect(loud).connect(audio.destination);
  voice.start();
  voice.stop(audio.currentTime + 0.08);
};
if (document.querySelector(".balance .end")) sessionStorage.setItem("visit", "on");
else if (atStart && sessionStorage.getItem("visit")) sessionStorage.clear();
tone.hidden = false;
show();
tone.addEventListener("click", () => {
  sessionStorage.setItem("sound", sounds() ? "off" : "on");
  show();
});
document.addEventListener("pointerdown", (event) => {
  if (sounds() && event.target.closest("button:not(:disabled), .button")) beep();
});

// -- a card on the reader of this machine; what it says is shown here and goes nowhere
const reader = document.querySelector("[data-reader]");
if (reader) {
  const part = (name) => reader.querySelector(`[data-${name}]`);
  const yen = (amount) => {
    const said = Math.abs(amount).toLocaleString("en");
    return (amount < 0 ? "−" : "") + (document.documentElement.lang === "ja" ? `${said}円` : `¥${said}`);
  };
  const tell = (what) => {
    const said = reader.querySelector(`[data-say="${what}"]`).textContent;
    if (part("told").textContent !== said) part("told").textContent = said;
  };
  // an entry's amount is what was spent; here, as in every history, it is what the balance gained
  const fill = (card) => {
    part("balance").textContent = yen(card.balance);
    const rows = (card.entries ?? []).slice(0, 3).map((one) => {
      const row = document.createElement("tr");
      const cells = [
        [one.date, one.time].filter(Boolean).join(" "), one.what[document.documentElement.lang],
        one.amount === null ? "" : yen(-one.amount), yen(one.balance),
      ];
      cells.forEach((text, n) => {
        const cell = row.insertCell();
        cell.textContent = text;
        if (n > 1) cell.className = "money";
      });
      return row;
    });
    part("found").querySelector("tbody").replaceChildren(...rows);
    part("found").hidden = false;
    tell("there");
  };
  const pause = (seconds) => new Promise((go) => setTimeout(go, seconds * 1000));
  const ask = async () => {
    for (;;) {
      try {
        const answer = await fetch(reader.dataset.reader, { cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer" });
        if (answer.status === 200) {
          fill(await answer.json()); // it stands there until the visit goes on or ends, or another card comes
          await pause(1);
        } else if (answer.status !== 204) {
          throw new Error(String(answer.status));
        } else if (part("found").hidden) {
          tell("wait");
        }
      } catch {
        tell("gone");
        await pause(5);
      }
    }
  };
  reader.hidden = false;
  tell("wait");
  ask();
}
