// The viewer's page: two maps that move as one, a line between them, and what is
// at a point. What there is to see comes from scene.json; maplibregl is MapLibre GL JS.

import { by, element, note } from "./dom.js";
import { drawLegends, tell } from "./legend.js";

const GONE = "The server doesn't answer any more; run overcast view again.";

const NO_WEBGL = "This browser can't draw the map: WebGL is switched off, or not to be had here.";

// Without WebGL, for one, nothing of what follows comes to its end.
addEventListener("error", (event) => {
  note(event.message.includes("WebGL") ? NO_WEBGL : event.message);
  document.body.dataset.built = "yes";
});

const scene = await (await fetch("scene.json")).json();
if (scene.base) {
  scene.layers.push({ name: "base", title: "Base map", kind: "optical", tiles: scene.base, bounds: [-180, -85, 180, 85], deepest: 19, legend: null });
}
const layers = new Map(scene.layers.map((layer) => [layer.name, layer]));
const images = scene.layers.filter((l) => l.kind === "optical" || l.kind === "sar");
const [west, south, east, north] = layers.get("map").bounds;
const whole = [[west, south], [east, north]];
// Coarse layers are drawn as finely as the finest, so that their cells have sharp edges.
const deepest = Math.max(...scene.layers.map((layer) => layer.deepest));
const NOTHING = "none";

// ---- What is shown: kept in the address, so that a reload and a link show the same.

const state = {
  left: (images[0] ?? layers.get("labels") ?? layers.get("map")).name,
  right: "map",
  ...(scene.start && { left: scene.start[0], right: scene.start[1] }),
  beneath: images[0]?.name ?? NOTHING,
  opacity: 100,
  swipe: 50,
  ...fromAddress(),
};

function fromAddress() {
  const given = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  for (const key of ["left", "right"]) if (!layers.has(given[key])) delete given[key];
  if (given.beneath !== NOTHING && !layers.has(given.beneath)) delete given.beneath;
  const limits = { opacity: [0, 100], swipe: [0, 100], lon: [-180, 180], lat: [-85, 85], zoom: [0, 24] };
  for (const [key, [low, high]] of Object.entries(limits)) {
    const number = Number(given[key] || NaN);
    if (number >= low && number <= high) given[key] = number;
    else delete given[key];
  }
  return given;
}

function toAddress() {
  const { lng, lat } = maps.right.getCenter();
  const view = { lon: lng.toFixed(6), lat: lat.toFixed(6), zoom: maps.right.getZoom().toFixed(2) };
  const { left, right, beneath, opacity, swipe } = state;
  history.replaceState(null, "", `#${new URLSearchParams({ left, right, beneath, opacity, swipe, ...view })}`);
}

// ---- Maps

const isImage = (name) => images.some((image) => image.name === name);

function style() {
  const sources = {};
  const drawn = [{ id: "ground", type: "background", paint: { "background-color": "#e8ecee" } }];
  // From the bottom up: images, then what is laid over them.
  for (const layer of [...scene.layers].reverse()) {
    sources[layer.name] = {
      type: "raster",
      tiles: [layer.tiles ?? `${location.origin}/tiles/${layer.name}/{z}/{x}/{y}.png?v=${layer.version}`],
      tileSize: 256,
      bounds: layer.bounds,
      maxzoom: layer.tiles ? layer.deepest : deepest,
    };
    drawn.push({
      id: layer.name,
      type: "raster",
      source: layer.name,
      layout: { visibility: "none" },
      paint: { "raster-fade-duration": 0, "raster-resampling": isImage(layer.name) ? "linear" : "nearest" },
    });
  }
  return { version: 8, sources, layers: drawn };
}

function open(side) {
  const start = [state.lon, state.lat, state.zoom].every(Number.isFinite)
    ? { center: [state.lon, state.lat], zoom: state.zoom }
    : { bounds: whole, fitBoundsOptions: { padding: 32 } };
  const map = new maplibregl.Map({
    container: side,
    style: style(),
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    maxPitch: 0,
    renderWorldCopies: false,
    keyboard: side === "right",
    maxZoom: deepest,
    ...start,
  });
  map.on("error", ({ error }) => note(error instanceof TypeError ? GONE : error.message));
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  return map;
}

const maps = { left: open("left"), right: open("right") };
maps.left.getCanvas().tabIndex = -1;
maps.right.getCanvas().setAttribute("aria-label", "Map; arrow keys move it, Enter asks what is at the centre");
maps.right.addControl(new maplibregl.NavigationControl({ showCompass: false }), "bottom-right");
maps.left.addControl(new maplibregl.ScaleControl({ maxWidth: 120 }), "bottom-left");

let following = false;
function follow(from, to) {
  from.on("move", () => {
    if (following) return;
    following = true;
    to.jumpTo({ center: from.getCenter(), zoom: from.getZoom() });
    following = false;
  });
}
follow(maps.left, maps.right);
follow(maps.right, maps.left);
maps.right.on("moveend", toAddress);

// ---- Layers

function show() {
  for (const [side, map] of Object.entries(maps)) {
    const top = state[side];
    const seen = new Set([top, ...(isImage(top) ? [] : [state.beneath])]);
    for (const name of layers.keys()) {
      map.setLayoutProperty(name, "visibility", seen.has(name) ? "visible" : "none");
      const opacity = isImage(name) ? 1 : state.opacity / 100;
      map.setPaintProperty(name, "raster-opacity", opacity);
    }
    by(`${side}-title`).textContent = layers.get(top).title;
    by(`${side}-${top}`).checked = true;
  }
  by("opacity").value = state.opacity;
  by("opacity-value").textContent = `${state.opacity} %`;
  by("beneath").value = state.beneath;
  moveLine(state.swipe);
  toAddress();
}

function choose(changes) {
  Object.assign(state, changes);
  show();
}

function layerRow(layer, index) {
  const radio = (side) => {
    const input = element("input", { type: "radio", name: side, id: `${side}-${layer.name}` });
    input.setAttribute("aria-label", `${layer.title} on the ${side}`);
    input.addEventListener("change", () => choose({ [side]: layer.name }));
    return element("td", {}, element("label", {}, input));
  };
  const title = element("th", { scope: "row" }, element("kbd", {}, `${index + 1}`), layer.title);
  return element("tr", {}, title, radio("left"), radio("right"));
}

by("layers").tBodies[0].append(...scene.layers.map(layerRow));
by("beneath").append(
  ...images.map((image) => element("option", { value: image.name }, image.title)),
  element("option", { value: NOTHING }, "nothing"),
);
by("opacity").addEventListener("input", (event) => choose({ opacity: event.target.valueAsNumber }));
by("beneath").addEventListener("change", (event) => choose({ beneath: event.target.value }));

// ---- The line

function moveLine(percent) {
  state.swipe = Math.min(100, Math.max(0, Math.round(percent * 10) / 10));
  by("maps").style.setProperty("--at", `${state.swipe}%`);
  by("swipe").setAttribute("aria-valuenow", Math.round(state.swipe));
}

const line = by("swipe");
line.addEventListener("pointerdown", (event) => {
  line.setPointerCapture(event.pointerId);
  line.focus();
});
line.addEventListener("pointermove", (event) => {
  if (!line.hasPointerCapture(event.pointerId)) return;
  const box = by("maps").getBoundingClientRect();
  moveLine((100 * (event.clientX - box.left)) / box.width);
});
line.addEventListener("pointerup", toAddress);
line.addEventListener("keydown", (event) => {
  const to = { ArrowLeft: state.swipe - 2, ArrowRight: state.swipe + 2, Home: 0, End: 100 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  moveLine(to);
  toAddress();
});

// ---- What is at a point

const marks = Object.values(maps).map((map) => {
  const drop = element("div", { className: "mark" });
  drop.setAttribute("role", "img"); // MapLibre labels it
  return { map, mark: new maplibregl.Marker({ element: drop }) };
});
let asked = 0;

async function ask({ lng, lat }) {
  const mine = ++asked;
  for (const { map, mark } of marks) mark.setLngLat([lng, lat]).addTo(map);
  const reply = await fetch(`point?lon=${lng}&lat=${lat}`).catch(() => null);
  if (!reply) return note(GONE);
  if (mine !== asked) return; // another point has been asked since
  if (reply.ok) tell(await reply.json(), scene);
  else note(await reply.text());
}

for (const map of Object.values(maps)) {
  map.getCanvas().style.cursor = "crosshair";
  map.on("click", (event) => {
    maps.right.getCanvas().focus({ preventScroll: true });
    ask(event.lngLat);
  });
}

// ---- Keys that work wherever nobody is typing or choosing

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select")) return;
  const digit = /^Digit([0-9])$/.exec(event.code)?.[1];
  const layer = scene.layers[Number(digit) - 1];
  if (digit === "0") maps.right.fitBounds(whole, { padding: 32 });
  else if (layer) choose({ [event.shiftKey ? "left" : "right"]: layer.name });
  else if ("[],.".includes(event.key)) choose({ swipe: state.swipe + ("[,".includes(event.key) ? -2 : 2) });
  else if (event.key === "Enter" && event.target === maps.right.getCanvas()) ask(maps.right.getCenter());
});

// ---- Start

document.title = `${scene.title} · overcast`;
by("title").textContent = scene.title;
const [rows, columns] = scene.shape;
by("grid").textContent = `${columns.toLocaleString("en")} × ${rows.toLocaleString("en")} pixels of ${scene.pixel} · ${scene.crs}`;
drawLegends(scene);
by("report").hidden = !scene.report;
if (scene.report) by("report").firstChild.href = `files/${scene.report}`;
scene.notes.forEach(note);
document.body.dataset.built = "yes";

await Promise.all(Object.values(maps).map((map) => map.loaded() || new Promise((done) => map.once("load", done))));
show();
await Promise.all(Object.values(maps).map((map) => new Promise((done) => map.once("idle", done))));
// Arrows, + and - work without a click.
if (document.activeElement === document.body) maps.right.getCanvas().focus({ preventScroll: true });
document.body.dataset.ready = "yes";
