"use strict";
// The address is the only state: every control changes the hash, and the hash draws the page.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const percent = (value) => `${Math.round(value * 100)} %`;
const emoji = (key) => data.emoji[key];

/** A DOM element; text goes in as text, so nothing in a file name can become markup. */
function make(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children.filter((child) => child != null));
  return node;
}

function icon(key, className = "emoji") {
  const node = make("span", { className }, emoji(key));
  node.setAttribute("aria-hidden", "true");
  return node;
}

function state() {
  const hash = new URLSearchParams(location.hash.slice(1));
  const known = new Set(Object.keys(data.emoji));
  const show = hash.has("show") ? hash.get("show").split(",") : data.show;
  const least = hash.has("min") ? Number(hash.get("min")) / 100 : data.least;
  return {
    show: new Set(show.filter((key) => known.has(key))),
    least: Math.min(Math.max(least || 0, 0), 1),
    photo: data.photos.findIndex((photo) => photo.name === hash.get("photo")),
  };
}

function go({ show, least, photo }, push = false) {
  const hash = new URLSearchParams({ show: [...show].join(",") });
  if (least) hash.set("min", Math.round(least * 100));
  if (photo >= 0) hash.set("photo", data.photos[photo].name);
  const address = `#${hash}`.replaceAll("%2C", ",");
  if (push) location.hash = address;
  else location.replace(address);
  draw();
}

/** The rule of `fer_mobile.gallery.filter.Filter`, with "no face" and "failed" to ask for. */
function matches(photo, { show, least }) {
  if (!show.size && !least) return true;
  const fits = ([key, sure]) =>
    (show.size ? show.has(key) : !["no face", "failed"].includes(key)) &&
    (sure === null || sure >= least);
  return data.match === "all" ? photo.keys.every(fits) : photo.keys.some(fits);
}

// ── the grid ──────────────────────────────────────────────────────────────────────────────

/** Where to hold a photo in its square so that the middle of its faces is seen. */
function position({ size, faces }) {
  if (!size || !faces.length) return "50% 50%";
  const [width, height] = size;
  const side = Math.min(width, height);
  const at = (axis, length) => {
    if (length === side) return 50;
    const middles = faces.map(({ box }) => ((box[axis] + box[axis + 2] / 2) / 100) * length);
    const middle = middles.reduce((sum, value) => sum + value) / middles.length;
    return Math.min(Math.max((middle - side / 2) / (length - side), 0), 1) * 100;
  };
  return `${at(0, width)}% ${at(1, height)}%`;
}

function tile(photo, index) {
  const picture = photo.thumb
    ? make("img", { src: photo.thumb, alt: "", loading: "lazy", decoding: "async" })
    : make("span", { className: "unread" }, photo.error ? "Could not be read" : "No picture");
  if (photo.thumb) picture.style.objectPosition = position(photo);
  const sure = photo.confidence === null ? null : percent(photo.confidence);
  const button = make(
    "button",
    { type: "button", className: "tile", title: photo.error ?? photo.name },
    make("span", { className: "picture" }, picture),
    make(
      "span",
      { className: "caption" },
      icon(photo.key),
      make("span", { className: "label" }, photo.key),
      make("span", { className: "sure" }, sure),
      make("span", { className: "name" }, photo.name),
    ),
  );
  button.addEventListener("click", () => {
    opened = true;
    go({ ...state(), photo: index }, true);
  });
  return make("li", {}, button);
}

const tiles = data.photos.map(tile);
const shown = () => tiles.flatMap((item, index) => (item.hidden ? [] : [index]));
$("grid").append(...tiles);

$("grid").addEventListener("keydown", (event) => {
  const visible = shown().map((index) => tiles[index]);
  const here = visible.indexOf(event.target.closest("li"));
  const top = visible[0]?.offsetTop;
  const columns = visible.filter((item) => item.offsetTop === top).length;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
  const next = step && visible[here + step];
  if (!next) return;
  event.preventDefault();
  next.firstChild.focus();
});

// ── the detail view ───────────────────────────────────────────────────────────────────────

let opened = false; // by a click here, so that going back closes it
let last = -1; // the photo that was open, to give the focus back to its tile

function facePanel(face, number, count, box) {
  const bars = face.probabilities.map((value, at) => {
    const label = data.labels[at];
    const fill = make("i", {});
    fill.style.width = `${value * 100}%`;
    fill.style.setProperty("--hue", `var(--${label})`);
    return make(
      "div",
      { className: label === face.label ? "best" : "" },
      make("dt", {}, icon(label), ` ${label}`),
      make("dd", {}, make("div", { className: "track" }, fill)),
      make("dd", {}, `${(value * 100).toFixed(1)} %`),
    );
  });
  const panel = make(
    "section",
    { className: "face" },
    make(
      "h3",
      {},
      icon(face.label),
      make("span", {}, `${face.label} ${percent(face.confidence)}`),
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
  const name = count > 1 ? `${number} · ${percent(face.confidence)}` : percent(face.confidence);
  const box = make(
    "div",
    { className: top < 8 ? "box low" : "box" },
    make("span", {}, icon(face.label), name),
  );
  Object.assign(box.style, {
    left: `${left}%`, top: `${top}%`, width: `${width}%`, height: `${height}%`,
  });
  box.style.setProperty("--hue", `var(--${face.label})`);
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
  const photo = data.photos[index];
  const boxes = photo.faces.map((face, at) => faceBox(face, at + 1, photo.faces.length));
  const image = photo.photo ?? photo.thumb;
  $("detail-name").textContent = photo.name;
  if (image) {
    const frame = make("div", { className: "frame" }, make("img", { src: image, alt: photo.name }), ...boxes);
    frame.style.setProperty("--ratio", photo.size[0] / photo.size[1]);
    $("photo").replaceChildren(frame);
  } else {
    $("photo").replaceChildren(make("p", { className: "unread" }, photo.error ?? "The photo could not be shown."));
  }
  const panels = photo.faces.map((face, at) => facePanel(face, at + 1, photo.faces.length, boxes[at]));
  if (photo.key === "multiple") {
    panels.unshift(make("p", { className: "nothing" }, icon("multiple"), ` Several faces: filed under “multiple”.`));
  }
  if (!panels.length) panels.push(make("p", { className: "nothing" }, photo.error ? "Could not be read." : "No face was found."));
  const size = photo.size ? make("p", { className: "facts" }, `${photo.size[0]} × ${photo.size[1]} px`) : null;
  const time = times(photo);
  $("faces").replaceChildren(...[...panels, time, size].filter(Boolean));
  $("faces").scrollTop = 0;
  const order = shown();
  const at = order.indexOf(index);
  $("position").textContent = at < 0 ? "not in the filter" : `${at + 1} of ${order.length}`;
  $("previous").disabled = at <= 0;
  $("next").disabled = at < 0 || at === order.length - 1;
}

function move(step) {
  const now = state();
  const order = shown();
  const next = order[order.indexOf(now.photo) + step];
  if (order.includes(now.photo) && next !== undefined) go({ ...now, photo: next });
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
$("verdict")?.addEventListener("click", () => {
  $("stages").scrollIntoView({ behavior: "smooth" });
  $("stages").focus({ preventScroll: true });
});

let drawn = null; // the address on show

function draw() {
  drawn = location.hash;
  const now = state();
  for (const button of $("pills").children) {
    const { key } = button.dataset;
    button.setAttribute("aria-pressed", key ? now.show.has(key) : !now.show.size);
  }
  $("least").value = now.least * 100;
  $("least-shown").textContent = percent(now.least);
  tiles.forEach((item, index) => { item.hidden = !matches(data.photos[index], now); });
  const count = shown().length;
  const asked = now.show.size ? ` · ${[...now.show].join(", ")}` : "";
  $("shown").textContent = `${count} of ${data.photos.length} photos${asked}`;
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
    tiles[last]?.firstChild.focus();
  }
}

addEventListener("hashchange", () => { if (location.hash !== drawn) draw(); });
draw();
$("pills").querySelector('[aria-pressed="true"]').scrollIntoView({ block: "nearest", inline: "center" });
