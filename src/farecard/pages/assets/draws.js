// A draw's page for whoever would rather not believe it: the whole draw done again, and "is my card on the list?", both in the page.
// It does what `farecard draw verify` does (docs/draws.md says how it is computed); neither number nor nonce leaves the page.
"use strict";
const form = document.getElementById("mine");
const whole = document.getElementById("whole");
const says = document.getElementById("says")?.dataset;
const words = document.getElementById("steps")?.dataset;
const place = document.getElementById("answer");
const AT_ONCE = 2048; // digests under way together
const hexadecimal = (bytes) => Array.from(new Uint8Array(bytes), (one) => one.toString(16).padStart(2, "0")).join("");
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
const made = (name, className, ...inside) => {
  const one = document.createElement(name);
  one.className = className;
  one.append(...inside);
  return one;
};
const filled = (sentence, figures) => sentence.replace(/\{(\w+)\}/g, (_, name) => figures[name]);
const counted = (number) => number.toLocaleString("en");

function bytesOf(digits) {
  const bytes = new Uint8Array(digits.length / 2);
  for (let n = 0; n < bytes.length; n++) bytes[n] = parseInt(digits.slice(2 * n, 2 * n + 2), 16);
  return bytes;
}

function joined(...parts) {
  const bytes = new Uint8Array(parts.reduce((sum, one) => sum + one.length, 0));
  let end = 0;
  for (const one of parts) {
    bytes.set(one, end);
    end += one.length;
  }
  return bytes;
}

// -- the whole draw --

// RFC 6962's tree: 0x00 and a leaf, 0x01 and two nodes; a node without a sibling moves up as it is. About two digests a leaf.
async function rootOf(leaves, tell) {
  if (!leaves.length) return hexadecimal(await sha256(new Uint8Array()));
  const [LEAF, NODE] = [Uint8Array.of(0), Uint8Array.of(1)];
  let done = 0;
  const all = async (count, one) => {
    const made = [];
    for (let from = 0; from < count; from += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, n) => sha256(one(from + n)));
      made.push(...(await Promise.all(some)));
      done += some.length;
      tell(done, 2 * leaves.length - 1);
    }
    return made;
  };
  let level = await all(leaves.length, (n) => joined(LEAF, bytesOf(leaves[n])));
  while (level.length > 1) {
    const below = level;
    level = await all(below.length >> 1, (n) => joined(NODE, below[2 * n], below[2 * n + 1]));
    if (below.length % 2) level.push(below[below.length - 1]);
  }
  return hexadecimal(level[0]);
}

// the indexes in the order they are picked; whoever stood last takes the place of who was picked
async function* picks(draw, seed, entrants) {
  const SPAN = 1n << 256n;
  const start = await sha256(new TextEncoder().encode(`${draw}:${seed}`));
  const moved = new Map();
  const counter = new DataView(new ArrayBuffer(8));
  for (let left = entrants, turn = 0n; left; turn++) {
    counter.setBigUint64(0, turn);
    const x = BigInt(`0x${hexadecimal(await sha256(joined(start, new Uint8Array(counter.buffer))))}`);
    const choices = BigInt(left);
    if (x >= SPAN - (SPAN % choices)) continue; // the incomplete last stretch: each has exactly the same chance
    const picked = Number(x % choices);
    left--;
    yield moved.get(picked) ?? picked;
    const last = moved.get(left) ?? left;
    moved.delete(left);
    if (picked !== left) moved.set(picked, last);
  }
}

const list = (value) => (Array.isArray(value) ? value : []);

// what is wrong with each step, null where it is right: [step, the word for what is right, how it is wrong]
async function* steps(told, tell) {
  let file = null;
  try {
    file = await fetch(whole.dataset.file, { cache: "no-store" }).then((one) => (one.ok ? one.json() : null));
  } catch {} // what did not arrive, or is no JSON
  if (file === null || typeof file !== "object") return yield ["file", "File", words.howUnreachable];
  const fits = file.algorithm === "farecard-draw-1" && file.draw === told.draw && Array.isArray(file.leaves);
  yield ["file", "File", fits ? null : filled(words.howOther, { found: file.draw })];
  if (!fits) return;

  const leaves = file.leaves;
  const bad = leaves.findIndex((one) => typeof one !== "string" || !/^[0-9a-f]{64}$/.test(one));
  const seen = new Set();
  const twice = leaves.findIndex((one) => seen.size === seen.add(one).size);
  const number = leaves.length;
  if (bad >= 0) return yield ["list", "List", filled(words.howLine, { n: bad + 1 })];
  const fewer = number !== told.entrants || file.entrants !== number;
  const counts = { told: counted(told.entrants), found: counted(number) };
  yield ["list", "List", twice >= 0 ? filled(words.howTwice, { n: twice + 1 }) : fewer ? filled(words.howCount, counts) : null];

  const root = await rootOf(leaves, tell);
  const others = root !== told.root ? filled(words.howMakes, { found: root }) : file.root !== told.root ? filled(words.howSays, { found: file.root }) : null;
  yield ["root", "Root", others];
  if (told.kept) yield ["kept", "Kept", root === told.kept && told.root === told.kept ? null : ""];

  const [winners, alternates] = [list(file.winners), list(file.alternates)];
  if (told.seed === null && file.seed === null) return yield ["winners", "ToCome", winners.length + alternates.length ? words.howEarly : null];
  if (told.seed !== file.seed) return yield ["winners", "Winners", filled(words.howValue, { found: file.seed ?? "–", told: told.seed ?? "–" })];
  if (winners.length !== told.picked) return yield ["winners", "Winners", filled(words.howWinners, { found: counted(winners.length), told: counted(told.picked) })];
  const order = picks(file.draw, file.seed, number);
  const all = [...winners, ...alternates];
  for (const [n, found] of all.entries()) {
    const expected = (await order.next()).value;
    if (found !== expected) return yield ["winners", "Winners", filled(words.howTurn, { n: n + 1, found, told: expected ?? "–" })];
    if (n % AT_ONCE === 0) tell(n, all.length);
  }
  yield ["winners", "Winners", null];
}

function toldByPage() {
  const { draw, root, entrants, picked, seed } = whole.dataset;
  const kept = whole.elements.kept.value.replace(/\s/g, "").toLowerCase();
  return { draw: Number(draw), root, entrants: Number(entrants), picked: Number(picked), seed: seed ?? null, kept };
}

async function check() {
  const button = whole.querySelector("button");
  const [far, place] = [document.getElementById("how-far"), document.getElementById("checked")];
  const [bar, found] = [far.querySelector("progress"), made("ol", "steps")];
  const tell = (done, total) => {
    bar.max = total;
    bar.value = done;
  };
  const told = toldByPage();
  const figures = { lines: counted(told.entrants), winners: counted(told.picked), seed: told.seed };
  button.disabled = true;
  bar.removeAttribute("value");
  far.hidden = false;
  place.replaceChildren(found);
  let right = true;
  for await (const [name, word, how] of steps(told, tell)) {
    const mark = made("span", "", how === null ? "✓" : "✕");
    mark.setAttribute("aria-hidden", "true");
    const wrong = () => `${words[`wrong${name[0].toUpperCase()}${name.slice(1)}`]} ${how}`;
    const line = made("li", how === null ? "done" : "missed", mark, " ", how === null ? filled(words[`right${word}`], figures) : wrong());
    line.dataset.step = name;
    found.append(line);
    right = right && how === null;
  }
  place.append(made("p", right ? "attention done" : "attention", right ? words.allRight : words.notRight));
  far.hidden = true;
  button.disabled = false;
}

// -- one's own card --

// the line a card makes: SHA-256 of the nonce and the number
const leaf = async (nonce, card) => hexadecimal(await sha256(joined(bytesOf(nonce), new TextEncoder().encode(card))));

function tell(sentence, line, done) {
  place.replaceChildren(made("p", done ? "attention done" : "attention", sentence));
  if (line) place.append(made("p", "", `${says.leaf} `, made("span", "number", line)));
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

function instead(one, done) {
  one.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    done();
  });
}

if (form && window.crypto && crypto.subtle) {
  document.getElementById("in-page").hidden = false;
  // somebody may come with both behind the #, which no browser sends: #JW000000000000001:nonce
  const [card, nonce] = location.hash.slice(1).split(":");
  if (card && nonce) {
    form.elements.card.value = card;
    form.elements.nonce.value = nonce;
  }
  instead(form, look);
  document.getElementById("by-server").hidden = true;
  document.getElementById("by-browser").hidden = false;
  instead(whole, check);
}
