// The address is the only state: every control changes the hash, and the hash draws the page.
const $ = (id) => document.getElementById(id);
// As fer_mobile/shares.py has it: no share below 1 reads 100%.
const percent = (share) => `${Math.floor(share * 100 + 1e-4)}%`;
const percentTenths = (share) => `${((share < 1 ? Math.min(share, 0.999) : share) * 100).toFixed(1)}%`;
/** The colour of a key: that of its own, or the one that the page's style has for it. */
const hue = (key) => data.colours[key] ?? `var(--${CSS.escape(key)}, var(--neutral))`;

/** A DOM element; text goes in as text, so nothing in a file name can become markup. */
function make(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children.filter((child) => child != null));
  return node;
}

function icon(key, className = "emoji") {
  const letter = data.letters[key];
  const node = make("span", { className: letter ? `${className} letter` : className }, letter ?? data.emoji[key]);
  node.style.setProperty("--hue", hue(key));
  node.setAttribute("aria-hidden", "true");
  return node;
}

function go(now, push = false) {
  const address = addressOf(now);
  if (push) location.hash = address;
  else location.replace(address);
  draw();
}

// ── the grid ──────────────────────────────────────────────────────────────────────────────
// Only the rows near the window are in the page; padding stands for the others.

const SPARE = 3; // rows that are ready above and below the window
let order = []; // the photos that match
let current = 0; // the place in `order` that the keyboard is at
let columns = 1;
let pitch = 300; // pixels from one row to the next
const items = new Map(); // those in the page, by photo

/** Where to hold a photo in its square so that the middle of its faces is seen. */
function position({ size, faces }) {
  if (!size || !faces.length) return "50% 50%";
  const [width, height] = size;
  const side = Math.min(width, height);
  const at = (axis, length) => {
    if (length === side) return 50;
    const middles = faces.map(({ box }) => ((box[axis] + box[axis + 2] / 2) / 100) * length);
    const middle = middles.reduce((sum, value) => sum + value) / middles.length;
    return clamp((middle - side / 2) / (length - side), 0, 1) * 100;
  };
  return `${at(0, width)}% ${at(1, height)}%`;
}

function tile(photo, index) {
  const now = state();
  const [key, confidence] = fitting(photo, now)[0] ?? filed(photo, now.faces)[0];
  const picture = photo.thumb
    ? make("img", { src: photo.thumb, alt: "", decoding: "async" })
    : make("span", { className: "unread" }, photo.error ? "Could not be read" : "No picture");
  if (photo.thumb) picture.style.objectPosition = position(photo);
  const sure = confidence === null ? null : percent(confidence);
  const folder = folderOf(photo);
  const button = make(
    "button",
    { type: "button", className: "tile", title: photo.error ?? photo.name },
    make("span", { className: "picture" }, picture),
    make(
      "span",
      { className: "caption" },
      icon(key),
      make("span", { className: "label" }, key),
      make("span", { className: "sure" }, sure),
      make("span", { className: "name", title: photo.name }, fileOf(photo), folder ? ` · ${folder}` : ""),
    ),
  );
  if (selecting) button.setAttribute("aria-pressed", selected.has(index));
  button.addEventListener("click", () => {
    if (selecting) {
      if (!selected.delete(index)) selected.add(index);
      button.setAttribute("aria-pressed", selected.has(index));
      drawSelection();
      return;
    }
    opened = true;
    go({ ...state(), photo: index }, true);
  });
  return make("li", {}, button);
}

function measure() {
  const style = getComputedStyle($("grid"));
  columns = style.gridTemplateColumns.split(" ").length;
  const first = $("grid").firstElementChild;
  if (first) pitch = first.getBoundingClientRect().height + parseFloat(style.rowGap);
}

/** Put the rows near the window into the page, and take the others out. */
function paint() {
  const grid = $("grid");
  const rows = Math.ceil(order.length / columns);
  const { top } = grid.getBoundingClientRect();
  const from = clamp(Math.floor(-top / pitch) - SPARE, 0, rows);
  const to = clamp(Math.ceil((innerHeight - top) / pitch) + SPARE, from, rows);
  const wanted = order.slice(from * columns, to * columns);
  const kept = new Set(wanted);
  for (const [index, item] of items) {
    if (kept.has(index)) continue;
    if (item.contains(document.activeElement)) grid.focus({ preventScroll: true });
    item.remove();
    items.delete(index);
  }
  // Tab reaches one photo: the current one, or the first in sight.
  const sight = clamp(Math.ceil(-top / pitch), from, Math.max(to - 1, 0)) * columns;
  const stop = kept.has(order[current]) ? order[current] : order[sight];
  wanted.forEach((index, at) => {
    if (!items.has(index)) items.set(index, tile(photos[index], index));
    const item = items.get(index);
    if (grid.children[at] !== item) grid.insertBefore(item, grid.children[at] ?? null);
    item.firstChild.tabIndex = index === stop ? 0 : -1;
    item.setAttribute("aria-setsize", order.length);
    item.setAttribute("aria-posinset", from * columns + at + 1);
  });
  grid.style.paddingTop = `${from * pitch}px`;
  grid.style.paddingBottom = `${(rows - to) * pitch}px`;
}

function layOut() {
  measure();
  paint();
  measure(); // now that there is a row to measure
  paint();
}

/** Bring a place of `order` into sight and give it the focus. */
function focusAt(at) {
  current = at;
  const top = $("grid").getBoundingClientRect().top + Math.floor(at / columns) * pitch;
  const bar = $("pills").parentElement.offsetHeight + 8;
  if (top < bar) scrollBy(0, top - bar);
  else if (top + pitch > innerHeight) scrollBy(0, top + pitch - innerHeight);
  paint();
  items.get(order[at])?.firstChild.focus({ preventScroll: true });
}

$("grid").addEventListener("focusin", (event) => {
  const item = event.target.closest("li");
  if (item) current = item.getAttribute("aria-posinset") - 1;
});

$("grid").addEventListener("keydown", (event) => {
  const arrow = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
  const page = Math.max(Math.floor(innerHeight / pitch) - 1, 1) * columns;
  const jump = { PageUp: -page, PageDown: page, Home: -order.length, End: order.length }[event.key];
  if (!arrow && !jump) return;
  event.preventDefault();
  const at = current + (arrow ?? jump);
  if (jump || order[at] !== undefined) focusAt(clamp(at, 0, order.length - 1));
});

let waiting = false;
addEventListener("scroll", () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    paint();
  });
}, { passive: true });
new ResizeObserver(layOut).observe(document.body);

// ── the detail view ───────────────────────────────────────────────────────────────────────

let opened = false; // by a click here, so that going back closes it
let last = -1; // the photo that was open, to give the focus back to it

/** How sure a face is, or why it is not. */
const sureness = (face) => (face.label === null ? face.flaw : percentTenths(face.confidence));

function facePanel(face, number, count, box) {
  const bars = face.probabilities.map((value, at) => {
    const label = data.labels[at];
    const fill = make("i", {});
    fill.style.width = `${value * 100}%`;
    fill.style.setProperty("--hue", hue(label));
    return make(
      "div",
      { className: label === face.label ? "best" : "" },
      make("dt", {}, icon(label), ` ${label}`),
      make("dd", {}, make("div", { className: "track" }, fill)),
      make("dd", {}, percentTenths(value)),
    );
  });
  const panel = make(
    "section",
    { className: "face" },
    make(
      "h3",
      {},
      icon(keyOf(face)),
      make("span", {}, face.label === null ? `unsure: ${face.flaw}` : `${face.label} ${sureness(face)}`),
      count > 1 ? make("small", {}, `face ${number} of ${count}`) : null,
    ),
    make("dl", { className: "bars" }, ...bars),
  );
  panel.addEventListener("pointerenter", () => box.classList.add("lit"));
  panel.addEventListener("pointerleave", () => box.classList.remove("lit"));
  return panel;
}

function faceBox(face, number, count) {
  const [left, top, width, height] = face.box;
  const name = count > 1 ? `${number} · ${sureness(face)}` : sureness(face);
  const box = make(
    "div",
    { className: top < 8 ? "box low" : "box" },
    make("span", {}, icon(keyOf(face)), name),
  );
  Object.assign(box.style, {
    left: `${left}%`, top: `${top}%`, width: `${width}%`, height: `${height}%`,
  });
  box.style.setProperty("--hue", hue(keyOf(face)));
  return box;
}

function times(photo) {
  const rows = Object.entries(photo.stages).flatMap(([stage, ms]) => [
    make("dt", {}, stage),
    make("dd", {}, `${ms.toFixed(1)} ms`),
  ]);
  if (!rows.length) return null;
  return make("section", { className: "times" }, make("h3", {}, "Time"), make("dl", {}, ...rows));
}

function drawDetail(index) {
  const photo = photos[index];
  const boxes = photo.faces.map((face, at) => faceBox(face, at + 1, photo.faces.length));
  const picture = photo.thumb ?? photo.photo;
  const folder = folderOf(photo);
  $("detail-name").replaceChildren(fileOf(photo), folder ? ` · ${folder}` : "");
  $("detail-name").title = photo.name;
  if (picture) {
    const image = make("img", { src: picture, alt: photo.name });
    // The larger picture takes the thumbnail's place when, and if, it can be shown.
    if (photo.photo) make("img", { src: photo.photo, onload: () => { image.src = photo.photo; } });
    const frame = make("div", { className: "frame" }, image, ...boxes);
    frame.style.setProperty("--ratio", photo.size[0] / photo.size[1]);
    $("photo").replaceChildren(frame);
  } else {
    $("photo").replaceChildren(make("p", { className: "unread" }, photo.error ?? "The photo could not be shown."));
  }
  const panels = photo.faces.map((face, at) => facePanel(face, at + 1, photo.faces.length, boxes[at]));
  if (filed(photo, state().faces)[0][0] === "multiple") {
    panels.unshift(make("p", { className: "nothing" }, icon("multiple"), ` Several faces: filed under “multiple”.`));
  }
  if (!panels.length) panels.push(make("p", { className: "nothing" }, photo.error ? "Could not be read." : "No face was found."));
  const size = photo.size ? make("p", { className: "facts" }, `${photo.size[0]} × ${photo.size[1]} px${photo.turn ? `, turned by ${photo.turn}°` : ""}`) : null;
  const time = times(photo);
  $("faces").replaceChildren(...[...panels, time, size].filter(Boolean));
  $("faces").scrollTop = 0;
  const at = order.indexOf(index);
  $("position").textContent = at < 0 ? "not in the filter" : `${at + 1} of ${order.length}`;
  $("previous").disabled = at <= 0;
  $("next").disabled = at < 0 || at === order.length - 1;
}

function move(step) {
  const now = state();
  const at = order.indexOf(now.photo);
  const next = order[at + step];
  if (at >= 0 && next !== undefined) go({ ...now, photo: next });
}

function close() {
  if (opened) history.back();
  else go({ ...state(), photo: -1 });
  opened = false;
}

$("previous").addEventListener("click", () => move(-1));
$("next").addEventListener("click", () => move(1));
$("close").addEventListener("click", close);
$("detail").addEventListener("cancel", (event) => {
  event.preventDefault();
  close();
});
$("detail").addEventListener("click", (event) => {
  if (event.target === $("detail")) close();
});
$("detail").addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  event.preventDefault();
  move(step);
});

// ── the filter ────────────────────────────────────────────────────────────────────────────

$("pills").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const now = state();
  const { key } = button.dataset;
  if (!key) now.show.clear();
  else if (!now.show.delete(key)) now.show.add(key);
  go(now);
});
$("least").addEventListener("input", (event) => go({ ...state(), least: event.target.value / 100 }));
$("search").addEventListener("input", (event) => go({ ...state(), search: event.target.value.trim() }));
$("sort").addEventListener("change", (event) => go({ ...state(), sort: event.target.value }));
$("as").addEventListener("change", (event) => go({ ...state(), faces: event.target.value }));
$("foot")?.addEventListener("click", () => {
  $("stages").scrollIntoView({ behavior: "smooth" });
  $("stages").focus({ preventScroll: true });
});

// ── the selection ─────────────────────────────────────────────────────────────────────────

const selected = new Set(); // photos, by number
let selecting = false; // whether a click selects a photo or opens it

function drawSelection() {
  $("select").setAttribute("aria-pressed", selecting);
  for (const id of ["select-shown", "copy"]) $(id).hidden = !selecting;
  $("copy").disabled = !selected.size;
  $("copy").textContent = `Copy ${selected.size === 1 ? "path" : `${selected.size.toLocaleString("en")} paths`}`;
}

function drawTilesAgain() {
  clearTiles();
  layOut();
}

$("select").addEventListener("click", () => {
  selecting = !selecting;
  if (!selecting) selected.clear();
  drawSelection();
  drawTilesAgain();
});
$("select-shown").addEventListener("click", () => {
  order.forEach((index) => selected.add(index));
  drawSelection();
  drawTilesAgain();
});
$("copy").addEventListener("click", async () => {
  const names = [...selected].sort((one, other) => one - other).map((index) => photos[index].name);
  const paths = names.map((name) => (data.folder ? `${data.folder}/${name}` : name)).join("\n");
  try {
    await navigator.clipboard.writeText(paths);
    $("copy").textContent = "Copied";
  } catch { // a browser that lets no page at the clipboard: by hand, then
    prompt("Copy with Ctrl+C", paths);
  }
});

for (const node of $("pills").querySelectorAll(".letter")) {
  node.style.setProperty("--hue", hue(node.closest("button").dataset.key));
}

let drawn = null; // the address on show
let filter = null; // the part of it that chooses photos

let mode = data.faces; // what the tiles and the pills are drawn by

/** Count the photos under each key again. */
function drawMode(faces) {
  mode = faces;
  const found = counts(mode);
  for (const button of $("pills").querySelectorAll("[data-key]:not([data-key=''])")) {
    const n = found.get(button.dataset.key) ?? 0;
    button.querySelector("b").textContent = n.toLocaleString("en");
    button.classList.toggle("none", !n);
    button.hidden = !n && button.dataset.key === "unsure";
  }
}

/** Take all tiles out of the page: what they say depends on the filter. */
function clearTiles() {
  for (const item of items.values()) item.remove();
  items.clear();
}

function draw() {
  drawn = location.hash;
  const now = state();
  for (const button of $("pills").children) {
    const { key } = button.dataset;
    button.setAttribute("aria-pressed", key ? now.show.has(key) : !now.show.size);
  }
  $("least").value = now.least * 100;
  $("least-shown").textContent = percent(now.least);
  if (document.activeElement !== $("search")) $("search").value = now.search;
  $("sort").value = now.sort;
  $("as").value = now.faces;
  if (now.faces !== mode) drawMode(now.faces);
  const asking = addressOf({ ...now, photo: -1 });
  if (asking !== filter) {
    order = chosen(now);
    const above = $("grid").getBoundingClientRect().top < 0;
    if (above) $("grid").scrollIntoView();
    current = 0;
    filter = asking;
    drawTilesAgain();
  }
  const count = order.length;
  const asked = now.show.size ? ` · ${[...now.show].join(", ")}` : "";
  $("shown").textContent = `${count.toLocaleString("en")} of ${photos.length.toLocaleString("en")} photos${asked}`;
  $("empty").hidden = count > 0;
  if (now.photo >= 0) {
    drawDetail(now.photo);
    last = now.photo;
    if (!$("detail").open) {
      $("detail").showModal();
      $("close").focus();
    }
  } else if ($("detail").open) {
    $("detail").close();
    const at = order.indexOf(last);
    if (at >= 0) focusAt(at);
  }
}

if (matchMedia("(max-width: 760px)").matches) $("more").open = false; // the photos come first
drawSelection();
addEventListener("hashchange", () => { if (location.hash !== drawn) draw(); });
draw();
$("pills").querySelector('[aria-pressed="true"]').scrollIntoView({ block: "nearest", inline: "center" });
