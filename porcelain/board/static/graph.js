// Graphs: zoom and pan, and what stands out when a node is pointed at.

const STEP = 1.25;
const MOST = 3;
const SVG = "http://www.w3.org/2000/svg";

// -- the window: which part of a picture is seen, as its viewBox -----------------------------------------------

class View {
  constructor(canvas) {
    this.canvas = canvas;
    this.svg = canvas.querySelector("svg.graph");
    this.whole = { width: this.svg.width.baseVal.value, height: this.svg.height.baseVal.value };
    canvas.classList.add("zooms");
    this.resize();
    this.start();
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  // as high as the picture needs in this width, within what the style allows
  resize() {
    const { width } = this.canvas.getBoundingClientRect();
    const wanted = Math.max(160, Math.min(this.whole.height, (this.whole.height * width) / Math.min(width, this.whole.width)));
    this.canvas.style.height = `${Math.round(wanted)}px`;
    if (this.box) this.show(this.box.x, this.box.y, this.scale);
  }

  get size() {
    return { width: this.canvas.clientWidth || 1, height: this.canvas.clientHeight || 1 };
  }

  get fitting() {
    return Math.min(this.size.width / this.whole.width, this.size.height / this.whole.height, 1);
  }

  show(x, y, scale) {
    this.scale = Math.min(Math.max(scale, this.fitting / 2), MOST);
    const width = this.size.width / this.scale, height = this.size.height / this.scale;
    // something of the picture stays in sight
    x = Math.min(Math.max(x, -width * 0.8), this.whole.width - width * 0.2);
    y = Math.min(Math.max(y, -height * 0.8), this.whole.height - height * 0.2);
    this.box = { x, y, width, height };
    this.svg.setAttribute("viewBox", [x, y, width, height].map((each) => each.toFixed(2)).join(" "));
  }

  // the point of the picture at `middle` is in the middle
  centre(middle, scale) {
    this.show(middle.x - this.size.width / scale / 2, middle.y - this.size.height / scale / 2, scale);
  }

  fit() {
    this.centre({ x: this.whole.width / 2, y: this.whole.height / 2 }, this.fitting);
  }

  // all of it, unless nothing could be read then: what the graph is about, or else where it begins
  start() {
    if (this.fitting >= 0.5) return this.fit();
    const root = this.svg.querySelector(".root")?.getBBox();
    const width = this.size.width / 0.7, height = this.size.height / 0.7;
    const middle = root
      ? { x: root.x + root.width / 2, y: root.y + root.height / 2 }
      : { x: this.whole.width / 2, y: 0 };
    const within = (at, seen, all) => (all <= seen ? all / 2 : Math.min(Math.max(at, seen / 2), all - seen / 2));
    this.centre({ x: within(middle.x, width, this.whole.width), y: within(middle.y, height, this.whole.height) }, 0.7);
  }

  // larger or smaller, around a point of the canvas; by itself around its middle
  zoom(factor, at = { x: this.size.width / 2, y: this.size.height / 2 }) {
    const x = this.box.x + at.x / this.scale, y = this.box.y + at.y / this.scale;
    const scale = Math.min(Math.max(this.scale * factor, this.fitting / 2), MOST);
    this.show(x - at.x / scale, y - at.y / scale, scale);
  }

  move(right, down) {
    this.show(this.box.x + right / this.scale, this.box.y + down / this.scale, this.scale);
  }

  at(event) {
    const { left, top } = this.canvas.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }
}

// -- wheel, pinch, drag ----------------------------------------------------------------------------------------

function steer(view) {
  const { canvas } = view;
  const down = new Map();
  let moved = 0;
  canvas.addEventListener("wheel", (event) => {
    // within another page the wheel turns the page
    if (!event.ctrlKey && !event.metaKey && !canvas.closest(".graph-page")) return;
    event.preventDefault();
    view.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), view.at(event));
  }, { passive: false });
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    if (!down.size) moved = 0;
    down.set(event.pointerId, view.at(event));
  });
  addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) return;
    const now = view.at(event);
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const far = (point) => Math.hypot(point.x - other.x, point.y - other.y) || 1;
      view.zoom(far(now) / far(before), other);
    } else if (event.pointerType !== "touch" || canvas.closest(".graph-page")) {
      view.move(before.x - now.x, before.y - now.y);
    }
    moved += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
    canvas.classList.toggle("drags", moved > 4);
    down.set(event.pointerId, now);
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    addEventListener(kind, (event) => {
      down.delete(event.pointerId);
      if (!down.size) canvas.classList.remove("drags");
    });
  }
  // the end of a drag is no click, and a link is not dragged away
  canvas.addEventListener("click", (event) => {
    if (moved > 4) event.preventDefault();
    moved = 0;
  }, true);
  canvas.addEventListener("dragstart", (event) => event.preventDefault());
}

// -- keys and buttons ------------------------------------------------------------------------------------------

const KEYS = {
  "+": (view) => view.zoom(STEP),
  "=": (view) => view.zoom(STEP),
  "-": (view) => view.zoom(1 / STEP),
  "0": (view) => view.fit(),
  ArrowLeft: (view) => view.move(-80, 0),
  ArrowRight: (view) => view.move(80, 0),
  ArrowUp: (view) => view.move(0, -80),
  ArrowDown: (view) => view.move(0, 80),
};
const BUTTONS = { in: KEYS["+"], out: KEYS["-"], fit: KEYS["0"] };

function press(figure, view) {
  view.canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
    event.preventDefault();
    KEYS[event.key](view);
  });
  const zoom = figure.querySelector(".graph-zoom");
  zoom.hidden = false;
  zoom.addEventListener("click", (event) => BUTTONS[event.target.dataset.zoom]?.(view));
  // what Tab reaches comes into sight
  view.svg.addEventListener("focusin", (event) => {
    if (!event.target.matches(":focus-visible")) return;
    view.canvas.scrollTo(0, 0);
    const { x, y, width, height } = event.target.getBBox();
    const box = view.box;
    const [left, top] = offset(view.svg);
    if (x + left < box.x || y + top < box.y || x + left + width > box.x + box.width || y + top + height > box.y + box.height) {
      view.centre({ x: x + left + width / 2, y: y + top + height / 2 }, view.scale);
    }
  });
}

// how far what is drawn is moved within its picture
function offset(svg) {
  const { e, f } = svg.querySelector("g").transform.baseVal.consolidate().matrix;
  return [e, f];
}

// -- what stands out -------------------------------------------------------------------------------------------

function light(view) {
  const { svg } = view;
  const nodes = new Map([...svg.querySelectorAll("[data-node]")].map((node) => [node.dataset.node, node]));
  const edges = [...svg.querySelectorAll("[data-from]")];
  // cells name what they were made from, which may be cells as well; the edges between are drawn when they are asked for
  const threads = [...svg.querySelectorAll("[data-given]")].flatMap((cell) =>
    cell.dataset.given.split(" ").filter(Boolean).map((from) => [from, cell.dataset.node]));
  let drawn = null;

  function rest() {
    svg.classList.remove("points");
    for (const each of svg.querySelectorAll(".near")) each.classList.remove("near");
    drawn?.remove();
    drawn = null;
  }

  function point(target) {
    rest();
    const number = target.dataset.node;
    const near = [target];
    for (const edge of edges) {
      const { from, to } = edge.dataset;
      if (from === number || to === number) near.push(edge, nodes.get(from), nodes.get(to));
    }
    const pairs = target.classList.contains("frame-head") ? [] : threads.filter((pair) => pair.includes(number));
    if (pairs.length) {
      drawn = document.createElementNS(SVG, "g");
      for (const pair of pairs) {
        const [from, to] = pair.map((each) => nodes.get(each));
        near.push(from, to);
        drawn.append(thread(from, to));
      }
      svg.querySelector("g").append(drawn);
    }
    for (const each of near) each?.classList.add("near");
    // the head of a frame stands for all that is in it
    if (target.classList.contains("frame-head")) {
      for (const cell of target.parentNode.querySelectorAll(".cell, .step")) cell.classList.add("near");
    }
    svg.classList.add("points");
  }

  const find = (event) => event.target.closest?.("[data-node]");
  svg.addEventListener("pointerover", (event) => (find(event) ? point(find(event)) : rest()));
  svg.addEventListener("pointerleave", rest);
  svg.addEventListener("focusin", (event) => find(event) && point(find(event)));
  svg.addEventListener("focusout", rest);
}

function thread(from, to) {
  const [a, b] = [from.getBBox(), to.getBBox()];
  const [x, y, u, v] = [a.x + a.width / 2, a.y + a.height / 2, b.x + b.width / 2, b.y + b.height / 2];
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("class", "thread");
  path.setAttribute("d", `M${x},${y} Q${(x + u) / 2 + (v - y) / 8},${(y + v) / 2 - (u - x) / 8} ${u},${v}`);
  return path;
}

// -- opening and folding without another page ------------------------------------------------------------------

async function reload(figure, address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".graph-figure");
  if (!fresh) return location.assign(address);
  if (figure.closest(".graph-page")) history.pushState(null, "", address);
  figure.replaceWith(fresh);
  begin();
}

function fold(figure) {
  figure.addEventListener("click", (event) => {
    const link = event.target.closest("a.fold, a.frame-head");
    if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const address = link.href.baseVal ?? link.getAttribute("href");
    reload(figure, address).catch(() => location.assign(address));
  });
}

addEventListener("popstate", () => location.reload());

// -- all graphs of a page --------------------------------------------------------------------------------------

function begin() {
  for (const figure of document.querySelectorAll(".graph-figure:not([data-on])")) {
    figure.dataset.on = "";
    const view = new View(figure.querySelector(".graph-canvas"));
    steer(view);
    press(figure, view);
    light(view);
    fold(figure);
  }
}

for (const kind of ["acc:loaded", "acc:shown"]) document.addEventListener(kind, begin);
begin();
