// Tokens that can be left out: a click, or the arrow keys and Enter, on the text or on what remains.
const parts = (whole) => [...whole.querySelectorAll(".sa-t")];
const texts = () => [...element.querySelectorAll(".sa-text")];
const figures = () => [...element.querySelectorAll(".sa-doc")];
let unfolded = [];
let active = -1;

function leftOut() {
  return new Set(JSON.parse(element.querySelector("[data-left-out]")?.dataset.leftOut ?? "[]"));
}

// The place in the text of a token, which may be shown among the remaining ones.
function placeOf(token) {
  const figure = token.closest(".sa-doc");
  const i = parts(figure).indexOf(token);
  if (figure === figures()[0]) return i;
  const out = leftOut();
  return parts(figures()[0]).map((_, place) => place).filter((place) => !out.has(place))[i];
}

function leaveOut(token) {
  trigger("click", { index: placeOf(token) });
}

// What was unfolded stays so, and what is left out is marked, when the text is shown anew.
function mark() {
  figures().forEach((figure, i) => {
    const details = figure.querySelector("details");
    if (details && unfolded[i]) details.open = true;
    figure.querySelectorAll(".sa-text").forEach((text) => {
      text.tabIndex = 0;
      text.setAttribute("role", "group");
      text.setAttribute("aria-label", i ? "What remains" : "The text");
    });
  });
  if (!figures().length) return;
  const tokens = parts(figures()[0]);
  for (const place of leftOut()) {
    tokens[place]?.classList.add("sa-out");
    tokens[place]?.setAttribute("aria-label", `${tokens[place].textContent}, left out`);
  }
}

element.addEventListener("click", (event) => {
  const token = event.target.closest(".sa-t");
  if (token) leaveOut(token);
});

element.addEventListener("toggle", () => {
  unfolded = figures().map((figure) => figure.querySelector("details")?.open ?? false);
}, true);

const STEPS = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };

function activate(text, place) {
  element.querySelectorAll(".sa-active").forEach((token) => token.classList.remove("sa-active"));
  const tokens = parts(text);
  active = Math.max(0, Math.min(tokens.length - 1, place));
  tokens[active]?.classList.add("sa-active");
  tokens[active]?.scrollIntoView({ block: "nearest" });
}

element.addEventListener("keydown", (event) => {
  const text = event.target.closest(".sa-text");
  if (!text) return;
  if (event.key in STEPS) {
    event.preventDefault();
    const leftwards = getComputedStyle(text).direction === "rtl" && event.key.startsWith("Arrow");
    activate(text, active + (leftwards ? -1 : 1) * STEPS[event.key]);
  } else if (event.key === "Enter") {
    const token = text.querySelector(".sa-active");
    if (token) leaveOut(token);
  }
});

element.addEventListener("focusin", (event) => {
  if (!event.target.querySelector(".sa-active")) active = -1;
});

// Gradio would compare a long text with the one before it node by node, which takes seconds.
watch("value", () => {
  const focused = texts().indexOf(document.activeElement);
  element.querySelector(".sa-host").innerHTML = props.value ?? "";
  mark();
  const text = texts()[focused];
  if (text) {
    // The focus makes none of the new tokens active.
    const place = active;
    text.focus({ preventScroll: true });
    activate(text, place);
  }
});
