// Keys: to search, to other pages, and the list of them.

const list = document.querySelector("dialog#keys");
const button = document.querySelector("button.keys");
button.hidden = false;
button.addEventListener("click", () => list.showModal());

let goes = 0; // until when a letter says where to go

const leave = {
  "/": () => document.querySelector(".find input").focus(),
  "?": () => list.showModal(),
  "[": () => follow("prev"),
  "]": () => follow("next"),
  g: () => (goes = Date.now() + 1500),
};

function follow(way) {
  document.querySelector(`main a[rel=${way}]`)?.click();
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || list.open) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const page = Date.now() < goes && document.querySelector(`.top a[data-key="${CSS.escape(event.key)}"]`);
  goes = 0;
  const act = page ? () => page.click() : leave[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
