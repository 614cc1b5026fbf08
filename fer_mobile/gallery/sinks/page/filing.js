"use strict";
// What the address says, and which photos it shows in which order: nothing here draws.
const { head: data, photos } = JSON.parse(document.getElementById("data").textContent);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const numbers = new Map(photos.map((photo, index) => [photo.name, index]));

/** The name of a photo's file, and the folder that it lies in. */
const fileOf = (photo) => photo.name.slice(photo.name.lastIndexOf("/") + 1);
const folderOf = (photo) => photo.name.slice(0, Math.max(photo.name.lastIndexOf("/"), 0));

const MODES = ["multiple", "largest", "each"];
/** What photos are sorted by, and how two of these compare. */
const ORDERS = {
  name: [fileOf, (one, other) => one.localeCompare(other, undefined, { numeric: true })],
  date: [(photo) => photo.date ?? "9999", (one, other) => one.localeCompare(other)], // the undated last
  confidence: [surest, (one, other) => other - one],
};

function state() {
  const hash = new URLSearchParams(location.hash.slice(1));
  const known = new Set([...Object.keys(data.emoji), ...Object.keys(data.letters)]);
  const show = hash.has("show") ? hash.get("show").split(",") : data.show;
  const least = hash.has("min") ? Number(hash.get("min")) / 100 : data.least;
  return {
    show: new Set(show.filter((key) => known.has(key))),
    least: clamp(least || 0, 0, 1),
    faces: MODES.includes(hash.get("faces")) ? hash.get("faces") : data.faces,
    search: hash.get("search") ?? "",
    sort: hash.get("sort") in ORDERS ? hash.get("sort") : "",
    photo: numbers.get(hash.get("photo")) ?? -1,
  };
}

/** The address of a state. */
function addressOf({ show, least, faces, search, sort, photo }) {
  const hash = new URLSearchParams({ show: [...show].join(",") });
  if (least !== data.least) hash.set("min", Number((least * 100).toFixed(4)));
  if (faces !== data.faces) hash.set("faces", faces);
  if (search) hash.set("search", search);
  if (sort) hash.set("sort", sort);
  if (photo >= 0) hash.set("photo", photos[photo].name);
  return `#${hash}`.replaceAll("%2C", ",");
}

/** What a face is filed under. */
const keyOf = (face) => face.label ?? "unsure";

/** The faces that a photo is filed by: none where they are several and that is its label. */
function speakers(photo, mode) {
  if (mode === "each" || photo.faces.length < 2) return photo.faces;
  if (mode === "multiple") return [];
  const area = ({ box }) => box[2] * box[3];
  return [photo.faces.reduce((one, other) => (area(other) > area(one) ? other : one))];
}

/** What a photo is filed under: pairs of key and confidence, the surest first. */
function filed(photo, mode) {
  if (photo.error) return [["failed", null]];
  if (!photo.faces.length) return [["no face", null]];
  const faces = speakers(photo, mode);
  if (!faces.length) return [["multiple", null]];
  const pairs = faces.map((face) => [keyOf(face), face.confidence]);
  return pairs.sort((one, other) => (other[1] ?? 0) - (one[1] ?? 0));
}

/** What a photo is filed under and the filter asks for, the surest first. */
function fitting(photo, { show, least, faces }) {
  const fits = ([key, sure]) =>
    (show.size ? show.has(key) : !["unsure", "no face", "failed"].includes(key)) &&
    (sure === null || sure >= least);
  return filed(photo, faces).filter(fits);
}

/** How sure the surest of them is, as `Filter.confidence` has it. */
function surest(photo, now) {
  return fitting(photo, now)[0]?.[1] ?? 0;
}

/** How many photos are filed under each key. */
function counts(mode) {
  const found = new Map();
  for (const photo of photos) {
    for (const key of new Set(filed(photo, mode).map(([key]) => key))) {
      found.set(key, (found.get(key) ?? 0) + 1);
    }
  }
  return found;
}

/** The rule of `fer_mobile.gallery.filter.Filter`, with "no face" and "failed" to ask for. */
function matches(photo, now) {
  const { show, least, faces, search } = now;
  if (search && !photo.name.toLowerCase().includes(search.toLowerCase())) return false;
  if (!show.size && !least) return true;
  const wanted = data.match === "all" && faces === "each" ? filed(photo, faces).length : 1;
  return fitting(photo, now).length >= wanted;
}

/** The photos that match, by their numbers, in the order that is asked for. */
function chosen(now) {
  const found = photos.flatMap((photo, index) => (matches(photo, now) ? [index] : []));
  if (!now.sort) return found;
  const [keyOfPhoto, compare] = ORDERS[now.sort];
  const keys = new Map(found.map((index) => [index, keyOfPhoto(photos[index], now)]));
  return found.sort((one, other) => compare(keys.get(one), keys.get(other)));
}
