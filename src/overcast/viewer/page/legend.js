// The legend, and in it and above it what is at a point.

import { by, element, swatch } from "./dom.js";

// One list where map and labels have the same classes, else one for each.
export function drawLegends(scene) {
  const legends = scene.layers.filter((layer) => layer.legend);
  const first = JSON.stringify(legends[0].legend);
  const present = (layer) => legends.filter((l) => JSON.stringify(l.legend) === JSON.stringify(layer.legend)).flatMap((l) => l.present ?? l.legend.map((land) => land.code));
  const others = legends.filter((layer) => JSON.stringify(layer.legend) !== first);
  for (const layer of [legends[0], ...others]) {
    if (others.length) by("legends").append(element("p", { className: "legend-title" }, layer.title));
    by("legends").append(list(layer, new Set(present(layer)), layer.name === "map" && scene.probabilities));
  }
  for (const layer of scene.layers.filter((l) => l.kind === "values")) {
    const [low, high] = layer.ends;
    const ends = element("div", { className: "ends" }, element("span", {}, low), element("span", {}, layer.title.toLowerCase()), element("span", {}, high));
    by("legends").append(element("div", { className: "value-ramp" }, element("div", { className: "ramp" }), ends));
  }
  by("ramp").hidden = !scene.layers.some((layer) => layer.kind === "confidence");
}

// Only the classes that occur somewhere; `index` is the place in the whole legend.
function list(layer, present, withShares) {
  const rows = [...layer.legend.entries()].filter(([, land]) => present.has(land.code)).map(([index, land]) => {
    const row = element("li", {}, swatch(land), element("span", {}, land.name));
    Object.assign(row.dataset, { layer: layer.name, code: land.code, index });
    if (withShares) {
      const bar = element("div", { className: "bar" }, element("span"));
      row.append(bar, element("span", { className: "share" }));
    }
    return row;
  });
  const fitsTwice = !withShares && layer.legend.every((land) => land.name.length <= 14);
  return element("ul", { className: fitsTwice ? "legend two" : withShares ? "legend shares" : "legend" }, ...rows);
}

const percent = (share) => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
const degrees = (value, names) => `${Math.abs(value).toFixed(5)}° ${names[value < 0 ? 1 : 0]}`;
const coordinate = (value) => value.toFixed(Math.abs(value) > 1000 ? 0 : 5);

// `found` is what the server answers to point?lon=..&lat=..
export function tell(found, scene) {
  const mapped = found.classes.map;
  const facts = [];
  if (scene.layers.some((layer) => layer.kind === "confidence")) {
    facts.push(["Confidence", found.confidence === null ? "–" : percent(found.confidence)]);
  }
  if ("labels" in found.classes) facts.push(["Labels", found.classes.labels?.name ?? "–"]);
  for (const layer of scene.layers.filter((l) => l.legend && !["map", "labels"].includes(l.name))) {
    facts.push([layer.title, found.classes[layer.name]?.name ?? "–"]);
  }
  for (const layer of scene.layers.filter((l) => l.kind === "values")) {
    const value = found.values[layer.name];
    facts.push([layer.title, value === null ? "–" : Number.isInteger(value) ? `${value}` : percent(value)]);
  }
  facts.push(["Place", `${degrees(found.lat, "NS")}, ${degrees(found.lon, "EW")}`]);
  if (found.x !== null) facts.push([scene.crs, `${coordinate(found.x)}, ${coordinate(found.y)}`]);
  by("point").replaceChildren(
    element("p", { className: "class" }, swatch(mapped), element("span", {}, mapped?.name ?? "Not mapped")),
    element("dl", {}, ...facts.flatMap(([what, value]) => [element("dt", {}, what), element("dd", { title: value }, value)])),
  );
  document.querySelectorAll(".legend li").forEach((row) => mark(row, found));
}

function mark(row, found) {
  const { layer, code, index } = row.dataset;
  row.classList.toggle("here", found.classes[layer]?.code === Number(code));
  const bar = row.querySelector(".bar span");
  if (!bar) return;
  const share = found.probabilities?.[Number(index)];
  bar.style.width = `${100 * (share ?? 0)}%`;
  row.querySelector(".share").textContent = share === undefined ? "" : percent(share);
}
