"use strict";

// The report page: shows the documents that the controls ask for, a few at a time, and the numbers
// of the token under the mouse, the finger or the arrow keys. The documents lie in the page as JSON,
// see `spacy_attn.interpret.show.report_page`; all their texts are set as text, never as HTML.

const report = JSON.parse(document.getElementById("data").textContent);
const documents = report.documents;
const controls = document.getElementById("controls");
const list = document.getElementById("documents");
const more = document.getElementById("more");

// So many documents are added to the page at once. Others follow when the end comes near.
const BATCH = 6;
// Of a longer document, so many tokens are in the page until it is unfolded.
const FOLD_TOKENS = 100;
// A tooltip names so many labels.
const MAX_TIP_LABELS = 8;

// ---- Numbers ------------------------------------------------------------------------------------

const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)}\u00a0%`;

function signed(value, digits = 3) {
  return (value < 0 ? "−" : "+") + Math.abs(value).toFixed(digits);
}

// The name of the shade of a value: the same arithmetic as `Scale.levels` in scale.py.
function shadeOf(value, nTokens, scale) {
  const level = Math.min(Math.floor((Math.abs(value) * nTokens) / scale.step + 0.5), scale.levels);
  return scale.prefixes[value < 0 && level > 0 ? 1 : 0] + level;
}

// ---- What the controls say ----------------------------------------------------------------------

function readControls() {
  return Object.fromEntries(new FormData(controls));
}

const highest = (scores) => scores.indexOf(Math.max(...scores));

// The number of a label that is chosen by a word or a number, or null if the document has none.
function labelToShow(doc, choice) {
  // Not every gold label is one of the component's, which come first.
  if (choice === "gold") return doc.gold && doc.gold[0] < doc.scores.length ? doc.gold[0] : null;
  if (choice !== "predicted") return Number(choice);
  // Scores are rounded, so that two may be the same: of exclusive labels, the one that was predicted.
  return report.exclusive ? doc.predicted[0] : highest(doc.scores);
}

// The numbers of the label to shade a document for, and of the one it is compared with, if any. Where
// the decision was wrong, the page begins with what speaks for the gold label and not for this one.
function targetToShow(doc, wanted) {
  if (wanted.label === "view") return doc.view;
  const label = labelToShow(doc, wanted.label);
  const other = wanted.other ? labelToShow(doc, wanted.other) : null;
  return [label, other === label ? null : other];
}

function valuesOf(doc, [label, other]) {
  if (label === null) return null;
  if (other === null) return doc.attributions[label];
  return doc.attributions[label].map((value, i) => value - doc.attributions[other][i]);
}

// The values to shade a document by: {values, scale, target}. No values: nothing to shade.
function viewOf(doc, wanted) {
  const scale = report.scales[wanted.style];
  if (wanted.style === "attention") return { values: doc.attention, scale, target: [null, null] };
  const target = targetToShow(doc, wanted);
  return { values: valuesOf(doc, target), scale, target };
}

function targetName([label, other]) {
  if (label === null) return "";
  return report.labels[label] + (other === null ? "" : ` rather than ${report.labels[other]}`);
}

// ---- Filtering and sorting ----------------------------------------------------------------------

function textOf(doc) {
  return doc.tokens.map((token, i) => token + (doc.spaces[i] === "1" ? " " : "")).join("");
}

documents.forEach((doc, number) => {
  doc.number = number;
  doc.length = doc.tokens.length;
  doc.searched = textOf(doc).toLowerCase();
});

// Whether labels are as chosen: "" is any, "2" has label 2, "!2" does not have it.
function matchesLabel(labels, choice) {
  if (!choice) return true;
  if (labels === null) return false;
  return choice[0] === "!" ? !labels.includes(Number(choice.slice(1))) : labels.includes(Number(choice));
}

// Whether the annotation says anything about a chosen label.
function isKnown(doc, choice) {
  return !choice || report.exclusive || doc.known.includes(Number(choice.replace("!", "")));
}

function confidenceBounds(wanted) {
  const bounds = [Number(wanted.from), Number(wanted.to)];
  return [Math.min(...bounds), Math.max(...bounds)];
}

function findDocuments(wanted) {
  const searched = wanted.search.trim().toLowerCase();
  const [from, to] = confidenceBounds(wanted);
  const found = documents.filter(
    (doc) =>
      (!wanted.correct || String(doc.correct) === wanted.correct) &&
      matchesLabel(doc.gold, wanted.gold) &&
      isKnown(doc, wanted.gold) &&
      matchesLabel(doc.predicted, wanted.predicted) &&
      100 * doc.confidence >= from &&
      100 * doc.confidence <= to &&
      doc.searched.includes(searched),
  );
  if (!wanted.sort) return found;
  const sign = wanted.sort[0] === "-" ? -1 : 1;
  const key = wanted.sort.replace("-", "");
  // Documents without a loss come last, either way.
  const value = (doc) => (doc[key] === null ? Infinity : sign * doc[key]);
  return found.sort((a, b) => value(a) - value(b) || a.number - b.number);
}

// ---- Documents as HTML --------------------------------------------------------------------------

function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

const labelNames = (numbers) => numbers.map((label) => report.labels[label]).join(", ") || "none";

function headOf(doc) {
  const head = element("header", "doc-head");
  head.append(element("span", "doc-number", `${doc.number + 1}`));
  const names = element("h2", "doc-labels");
  if (doc.correct !== null) {
    const sign = element("span", doc.correct ? "sign right" : "sign wrong", doc.correct ? "✓" : "✗");
    sign.setAttribute("role", "img");
    sign.setAttribute("aria-label", doc.correct ? "right:" : "wrong:");
    names.append(sign);
  }
  names.append(element("span", "doc-predicted", labelNames(doc.predicted)));
  if (doc.correct === false) names.append(element("span", "doc-gold", `gold: ${labelNames(doc.gold)}`));
  head.append(names);
  const meter = element("span", "meter");
  meter.style.setProperty("--share", doc.confidence);
  meter.append(element("span", "", percent(doc.confidence)));
  meter.title = "confidence";
  head.append(meter);
  if (doc.loss !== null) head.append(element("span", "doc-number", `loss ${doc.loss.toFixed(2)}`));
  head.append(element("span", "doc-number", `${doc.length} ${doc.length === 1 ? "token" : "tokens"}`));
  head.append(element("span", "doc-shown"));
  if (doc.removed) head.append(hangingOf(doc));
  return head;
}

// Says without which tokens the decision would be another one, where that was looked for.
function hangingOf(doc) {
  const named = doc.removed.map((i) => `“${doc.tokens[i]}”`).join(", ");
  const smallest = doc.smallest ? " (no smaller set of tokens changes it)" : "";
  return element("span", "doc-hangs", `without ${named}: ${doc.without}${smallest}`);
}

function paragraphOf(doc, nTokens) {
  const paragraph = element("p", "sa-text");
  paragraph.dir = report.direction;
  if (report.language) paragraph.lang = report.language;
  paragraph.tabIndex = 0;
  paragraph.setAttribute("role", "group");
  paragraph.setAttribute("aria-label", `Document ${doc.number + 1}`);
  paragraph.setAttribute("aria-describedby", "keys");
  doc.tokens.slice(0, nTokens).forEach((token, i) => {
    paragraph.append(element("span", "sa-t", token));
    if (doc.spaces[i] === "1") paragraph.append(" ");
  });
  if (!doc.length) paragraph.append(element("span", "note", "(no tokens)"));
  if (nTokens < doc.length) paragraph.append("…");
  return paragraph;
}

function articleOf(doc) {
  const article = element("article");
  article.dataset.number = doc.number;
  article.append(headOf(doc), paragraphOf(doc, FOLD_TOKENS));
  if (doc.length > FOLD_TOKENS) article.append(unfoldButton(doc));
  return article;
}

function unfoldButton(doc) {
  const button = element("button", "quiet-button unfold", `Show all ${doc.length} tokens`);
  button.type = "button";
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => {
    const folds = button.getAttribute("aria-expanded") === "true";
    const article = button.closest("article");
    article.querySelector(".sa-text").replaceWith(paragraphOf(doc, folds ? FOLD_TOKENS : doc.length));
    shade(article, readControls());
    button.setAttribute("aria-expanded", String(!folds));
    button.textContent = folds ? `Show all ${doc.length} tokens` : "Show less";
  });
  return button;
}

const documentOf = (node) => documents[node.closest("article").dataset.number];

function shade(article, wanted) {
  const doc = documentOf(article);
  const { values, scale, target } = viewOf(doc, wanted);
  // That a document is shaded for the one label that it was given goes without saying.
  const predicted = report.exclusive && target[0] === doc.predicted[0] && target[1] === null;
  const shown = predicted ? "" : targetName(target);
  article.querySelector(".doc-shown").textContent = shown && `shaded for ${shown}`;
  const removed = new Set(doc.removed);
  article.querySelectorAll(".sa-t").forEach((token, i) => {
    token.className = values ? `sa-t sa-${shadeOf(values[i], doc.length, scale)}` : "sa-t";
    if (removed.has(i)) token.className += " removed";
  });
  article.shadedFor = shadingKey(wanted);
}

const shadingKey = (wanted) => `${wanted.style} ${wanted.label} ${wanted.other}`;

// ---- The list -----------------------------------------------------------------------------------

let found = [];

function showMore() {
  const wanted = readControls();
  const start = list.children.length;
  const fresh = found.slice(start, start + BATCH).map(articleOf);
  fresh.forEach((article) => {
    list.append(article);
    shade(article, wanted);
    inView.observe(article);
  });
  more.hidden = list.children.length >= found.length;
  // The end may still be in view, and an observer tells of changes only.
  nearEnd.unobserve(more);
  if (!more.hidden) nearEnd.observe(more);
}

function showList() {
  hideTip();
  found = findDocuments(readControls());
  inView.disconnect();
  list.replaceChildren();
  showMore();
  const n = documents.length;
  document.getElementById("count").textContent =
    found.length === n ? `${n} documents` : `${found.length} of ${n} documents`;
}

// Shades what can be seen at once; the rest when it comes into view.
function showShades() {
  hideTip();
  const wanted = readControls();
  for (const legend of document.querySelectorAll("[data-legend]")) {
    legend.hidden = legend.dataset.legend !== wanted.style;
  }
  controls.elements.label.disabled = wanted.style === "attention";
  controls.elements.other.disabled = wanted.style === "attention" || wanted.label === "view";
  for (const article of list.children) if (article.isInView) shade(article, wanted);
}

const inView = new IntersectionObserver(
  (entries) => {
    const wanted = readControls();
    for (const { target, isIntersecting } of entries) {
      target.isInView = isIntersecting;
      if (isIntersecting && target.shadedFor !== shadingKey(wanted)) shade(target, wanted);
    }
  },
  { rootMargin: "400px" },
);

const nearEnd = new IntersectionObserver(
  (entries) => entries.some((entry) => entry.isIntersecting) && showMore(),
  { rootMargin: "800px" },
);

// ---- The numbers of a token ---------------------------------------------------------------------

const tip = document.getElementById("tip");
let tipped = null;

// The rows of a tooltip, [name, value]; one without a value is a heading.
function tipRows(doc, i) {
  const rows = [["attention", percent(doc.attention[i], 2)]];
  rows.push(["× the average", (doc.attention[i] * doc.length).toFixed(2)]);
  const order = doc.scores.map((_, label) => label);
  order.sort((a, b) => Math.abs(doc.attributions[b][i]) - Math.abs(doc.attributions[a][i]));
  order.length = Math.min(order.length, MAX_TIP_LABELS);
  order.sort((a, b) => a - b);
  rows.push([report.method, ""]);
  for (const label of order) rows.push([report.labels[label], signed(doc.attributions[label][i])]);
  const { values, target } = viewOf(doc, readControls());
  if (values && target[1] !== null) rows.push([targetName(target), signed(values[i])]);
  return rows;
}

function showTip(token) {
  if (token === tipped) return;
  hideTip();
  const doc = documentOf(token);
  const i = [...token.parentNode.querySelectorAll(".sa-t")].indexOf(token);
  const table = element("table");
  for (const [name, value] of tipRows(doc, i)) {
    const row = table.insertRow();
    row.className = value ? "" : "heading";
    row.append(element("th", "", name), element("td", "", value));
  }
  tip.replaceChildren(element("strong", "", doc.tokens[i]), table);
  tip.hidden = false;
  placeTip(token.getClientRects()[0]);
  token.classList.add("active");
  tipped = token;
}

function placeTip(box) {
  const { offsetWidth: width, offsetHeight: height } = tip;
  const below = box.bottom + 8 + height <= innerHeight;
  tip.style.top = `${below ? box.bottom + 8 : Math.max(4, box.top - 8 - height)}px`;
  tip.style.left = `${Math.max(4, Math.min(box.left, innerWidth - width - 4))}px`;
}

function hideTip() {
  if (tipped) tipped.classList.remove("active");
  tipped = null;
  tip.hidden = true;
}

list.addEventListener("pointerover", (event) => {
  const token = event.target.closest(".sa-t");
  if (token) showTip(token);
  else hideTip();
});
list.addEventListener("pointerleave", hideTip);
addEventListener("scroll", () => tipped && placeTip(tipped.getClientRects()[0]), { passive: true });
list.addEventListener("focusout", hideTip);

const STEPS = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };

list.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideTip();
  const paragraph = event.target.closest(".sa-text");
  if (!paragraph || !(event.key in STEPS)) return;
  event.preventDefault();
  const tokens = [...paragraph.querySelectorAll(".sa-t")];
  const leftwards = getComputedStyle(paragraph).direction === "rtl" && event.key.startsWith("Arrow");
  const here = tokens.indexOf(tipped);
  if (!tokens.length) return;
  const next = Math.max(0, Math.min(tokens.length - 1, here + (leftwards ? -1 : 1) * STEPS[event.key]));
  tokens[next].scrollIntoView({ block: "nearest" });
  showTip(tokens[next]);
  const numbers = tipRows(documentOf(paragraph), next).map((row) => row.join(" ").trim());
  document.getElementById("spoken").textContent = [tokens[next].textContent, ...numbers].join(", ");
});

// ---- Controls -----------------------------------------------------------------------------------

// What is chosen is kept in the address, as far as it is not what the page begins with, so that it can
// be linked to and gone back to.
const initial = readControls();
const TYPED = ["search", "from", "to"];
let keeping;

function chosenAsText() {
  const chosen = Object.entries(readControls()).filter(([name, value]) => value !== initial[name]);
  return new URLSearchParams(chosen).toString();
}

// A moment later while something is typed or drawn: each change of the address is a step to go back.
function keepInAddress(name) {
  clearTimeout(keeping);
  keeping = setTimeout(
    () => chosenAsText() === location.hash.slice(1) || (location.hash = chosenAsText()),
    TYPED.includes(name) ? 300 : 0,
  );
}

function chooseFromAddress() {
  clearTimeout(keeping);
  const wanted = new URLSearchParams(location.hash.slice(1));
  controls.elements.label.disabled = controls.elements.other.disabled = false;
  for (const [name, value] of Object.entries(initial)) {
    const control = controls.elements[name];
    control.value = wanted.get(name) ?? value;
    // No such choice: the address is of another report, or was edited.
    if (wanted.has(name) && control.value !== wanted.get(name)) control.value = value;
  }
  showShades();
  showChosen();
}

addEventListener("hashchange", () => chosenAsText() === location.hash.slice(1) || chooseFromAddress());

const confusionCells = [...document.querySelectorAll(".cell")];

function showChosenCell(wanted) {
  for (const cell of confusionCells) {
    const chosen = wanted.gold === cell.dataset.gold && wanted.predicted === cell.dataset.predicted;
    cell.setAttribute("aria-pressed", String(chosen));
  }
}

function showChosen(name) {
  const wanted = readControls();
  const [from, to] = confidenceBounds(wanted);
  document.getElementById("confidence-range").textContent = `${from} – ${to}\u00a0%`;
  showChosenCell(wanted);
  if (["style", "label", "other"].includes(name)) showShades();
  else showList();
}

function update(name) {
  showChosen(name);
  keepInAddress(name);
}

controls.addEventListener("input", (event) => update(event.target.name));
controls.addEventListener("submit", (event) => event.preventDefault());
// The controls have their old values until the event is over.
controls.addEventListener("reset", () => setTimeout(() => (update(), showShades())));
more.addEventListener("click", showMore);

for (const cell of confusionCells) {
  cell.addEventListener("click", () => {
    const pressed = cell.getAttribute("aria-pressed") === "true";
    controls.elements.gold.value = pressed ? "" : cell.dataset.gold;
    controls.elements.predicted.value = pressed ? "" : cell.dataset.predicted;
    update();
  });
}

const theme = document.getElementById("theme");
const THEMES = { system: "light dark", light: "light", dark: "dark" };

theme.addEventListener("click", () => {
  const names = Object.keys(THEMES);
  const now = theme.querySelector("span");
  now.textContent = names[(names.indexOf(now.textContent) + 1) % names.length];
  document.body.style.colorScheme = THEMES[now.textContent];
});

// On a narrow screen, the documents come first.
document.getElementById("fold-controls").open = !matchMedia("(max-width: 860px)").matches;
chooseFromAddress();
