// "Is my card on the list?", looked up in the page: neither number nor nonce leaves it.
"use strict";
const form = document.getElementById("mine");
const says = document.getElementById("says").dataset;
const place = document.getElementById("answer");
const hexadecimal = (bytes) => Array.from(new Uint8Array(bytes), (one) => one.toString(16).padStart(2, "0")).join("");

// the line a card makes: SHA-256 of the nonce and the number
async function leaf(nonce, card) {
  const bytes = new Uint8Array(16 + card.length);
  for (let n = 0; n < 16; n++) bytes[n] = parseInt(nonce.slice(2 * n, 2 * n + 2), 16);
  bytes.set(new TextEncoder().encode(card), 16);
  return hexadecimal(await crypto.subtle.digest("SHA-256", bytes));
}

function tell(sentence, line, done) {
  const said = document.createElement("p");
  said.className = done ? "attention done" : "attention";
  said.textContent = sentence;
  place.replaceChildren(said);
  if (!line) return;
  const shown = document.createElement("p");
  const number = document.createElement("span");
  number.className = "number";
  number.textContent = line;
  shown.append(`${says.leaf} `, number);
  place.append(shown);
}

// a card's number as it was meant: without gaps, whatever width, with JW in front
function typed(text) {
  const plain = text.normalize("NFKC").toUpperCase().replace(/[\s\-‐−–]/g, "");
  return /^[0-9]{15}$/.test(plain) ? `JW${plain}` : plain;
}

async function look() {
  const card = typed(form.elements.card.value);
  const nonce = form.elements.nonce.value.replace(/\s/g, "").toLowerCase();
  if (!/^JW[0-9]{15}$/.test(card) || !/^[0-9a-f]{32}$/.test(nonce)) return tell(says.noNonce);
  const [line, list] = await Promise.all([leaf(nonce, card), fetch(form.dataset.file).then((one) => one.json())]);
  const index = list.leaves.indexOf(line);
  if (index < 0) return tell(says.notListed, line);
  const won = list.winners.indexOf(index);
  const then = list.drawn_at === null ? says.notYet : won < 0 ? says.notWon : says.won.replace("{n}", won + 1);
  tell(`${says.listed.replace("{place}", index)} ${then}`, line, true);
}

if (form && window.crypto && crypto.subtle) {
  document.getElementById("in-page").hidden = false;
  // somebody may come with both behind the #, which no browser sends: #JW000000000000001:nonce
  const [card, nonce] = location.hash.slice(1).split(":");
  if (card && nonce) {
    form.elements.card.value = card;
    form.elements.nonce.value = nonce;
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    look();
  });
}
