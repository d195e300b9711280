// What every page has: light or dark, following what changes, parts that come later.

import "./keys.js";
import { sayAgo } from "./times.js";

const root = document.documentElement;

// -- light or dark ---------------------------------------------------------------------------------------------

const themes = ["light", "dark"];
const chosen = localStorage.getItem("acc-theme");
if (themes.includes(chosen)) root.dataset.theme = chosen;
const button = document.querySelector("button.theme");
button.hidden = false;
button.addEventListener("click", () => {
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("acc-theme", root.dataset.theme);
});

// -- pages that follow what changes ----------------------------------------------------------------------------

let stream = null;

// Make one element what another is, and touch only what differs: what somebody reads, marks or scrolls stays.
function become(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  let there = old.firstChild;
  for (const node of [...fresh.childNodes]) {
    // what has an id is known by it, wherever it has moved; all else by its place among its like
    const known = node.id ? [...old.children].find((each) => each.id === node.id) : null;
    while (known && there && there !== known) there = takeOut(there);
    if (!there || there.nodeName !== node.nodeName || (there.id ?? "") !== (node.id ?? "")) {
      old.insertBefore(node, there);
      continue;
    }
    if (there.nodeType !== Node.ELEMENT_NODE) {
      if (there.data !== node.data) there.data = node.data;
    } else if (!there.isEqualNode(node) && !(there.dataset.load && there.dataset.load === node.dataset.load)) {
      // but not what was fetched into it, which is not in the page
      become(there, node);
    }
    there = there.nextSibling;
  }
  while (there) there = takeOut(there);
}

function takeOut(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

function show(text) {
  const main = document.querySelector("main");
  const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("main");
  if (fresh) sayAgo(fresh);
  // a list that is open for choosing would close
  if (!fresh || fresh.innerHTML === main.innerHTML || main.querySelector("select:focus")) return;
  const focus = document.activeElement?.id;
  const open = [...main.querySelectorAll("details[open][id]")].map((each) => each.id);
  become(main, fresh);
  for (const id of open) main.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
  if (focus && document.activeElement?.id !== focus) document.getElementById(focus)?.focus();
  document.dispatchEvent(new CustomEvent("acc:shown"));
}

function follow() {
  const page = document.querySelector("main")?.dataset.live;
  if (!page || document.hidden || stream) return;
  stream = new EventSource(`/watch?page=${encodeURIComponent(page)}`);
  stream.addEventListener("shown", (event) => show(JSON.parse(event.data)));
}

function rest() {
  stream?.close();
  stream = null;
}

document.addEventListener("visibilitychange", () => (document.hidden ? rest() : follow()));
addEventListener("pagehide", rest);
follow();

// -- parts that are fetched when they are looked at: <div data-load="/address"><a class="waiting" href=...> ------

const loader = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    loader.unobserve(target);
    load(target);
  }
}, { rootMargin: "200px" });

async function load(target) {
  try {
    const answer = await fetch(target.dataset.load, { headers: { Accept: "text/html" } });
    const text = await answer.text();
    const found = new DOMParser().parseFromString(text, "text/html");
    // a page says by data-part what of it is to be shown within another
    const part = found.querySelector("[data-part]") ?? found.querySelector("main");
    sayAgo(part);
    target.replaceChildren(...part.childNodes);
  } catch {
    target.textContent = "the board does not answer";
  }
  target.dispatchEvent(new CustomEvent("acc:loaded", { bubbles: true }));
}

function observe() {
  for (const target of document.querySelectorAll("[data-load]:has(> .waiting)")) {
    loader.observe(target);
  }
}

document.addEventListener("acc:shown", observe);
observe();

// -- what moves within the page can be reached by Tab, as arrow keys move it -------------------------------------

function reach() {
  for (const box of document.querySelectorAll("main :is(pre, .scroll, .plots, .plot)")) {
    if (box.hasAttribute("tabindex") || box.querySelector("a, summary, button, input")) continue;
    if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) box.tabIndex = 0;
  }
}

for (const kind of ["acc:loaded", "acc:shown", "toggle"]) document.addEventListener(kind, reach, true);
addEventListener("resize", reach);
reach();

// -- times -----------------------------------------------------------------------------------------------------

sayAgo(document);
setInterval(() => document.hidden || sayAgo(document), 30_000);
