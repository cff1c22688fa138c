// A picture, and over it where a distortion is.

import { freshId, make, makeChoices, showBlob } from "./dom.js";
import { nameOf, percent } from "./words.js";

const COLOUR = [226, 64, 10];
const STRONGEST = 0.6; // opacity where the probability is 1: the picture stays to be seen
const LIGHT = [255, 255, 255, 235], DARK = [30, 12, 4, 235]; // the line at one half, inside and outside
const WIDTH = 320; // of the map in its own pixels; the browser stretches it

// A figure with a picture, a map over it, and a choice of the map.
export class Shown {
  #image = make("img", { alt: "" });
  #canvas = make("canvas", { role: "img", hidden: true, "aria-label": "" });
  #controls = make("div");
  #words = make("p", { class: "note", id: freshId("where") });
  #stage;
  #map = null;
  #group = "";

  // `onchoose(group)` hears which map is wanted, "" for none.
  constructor(place, { onchoose = null } = {}) {
    this.#stage = make("div", { class: "stage" }, make("div", { class: "frame" }, this.#image, this.#canvas));
    this.onchoose = onchoose;
    place.replaceChildren(make("figure", { class: "shown" }, this.#stage, this.#controls, this.#words));
  }

  get group() {
    return this.#group;
  }

  get image() {
    return this.#image;
  }

  set waiting(is) {
    this.#stage.classList.toggle("waiting", is);
  }

  // Shows a picture; whether the browser can.
  show(blob, alt) {
    this.#image.alt = alt;
    showBlob(this.#image, blob);
    return this.#image.decode().then(() => true, () => false);
  }

  // Offers maps of these groups, the chosen one first shown.
  offer(groups, chosen) {
    this.#group = chosen;
    const options = [{ value: "", label: "off" }, ...groups.map((own) => ({ value: own, label: nameOf(own) }))];
    const choices = makeChoices("Where", options, chosen, (value) => {
      this.#group = value;
      this.#paint();
      this.onchoose?.(value);
    });
    this.#controls.replaceChildren(choices);
  }

  // The map of a picture as the server gives it, or null.
  set map(map) {
    this.#map = map;
    this.#paint();
  }

  #paint() {
    const values = this.#map && this.#group ? this.#map.probabilities[this.#group] : null;
    this.#canvas.hidden = !values;
    this.#words.replaceChildren();
    if (!values) return;
    paint(this.#canvas, this.#map, values, this.#image.naturalHeight / this.#image.naturalWidth || 1);
    const text = describe(nameOf(this.#group), this.#map, values);
    this.#canvas.setAttribute("aria-label", text);
    this.#words.append(makeLegend(), make("span", { text }));
  }
}

function makeLegend() {
  const ramp = make("canvas", { class: "ramp", width: 64, height: 1, "aria-hidden": "true" });
  const context = ramp.getContext("2d");
  for (let x = 0; x < 64; x++) {
    context.fillStyle = `rgba(${COLOUR.join(",")},${(STRONGEST * x) / 63})`;
    context.fillRect(x, 0, 1, 1);
  }
  const [low, high] = ["0 %", "100 %; the line is at 50 %"].map((text) => make("span", { text }));
  return make("span", { class: "scale", "aria-hidden": "true" }, low, ramp, high);
}

// Between the centres of the tiles the probability is interpolated; beyond them it is that of the nearest.
function paint(canvas, map, values, aspect) {
  const width = WIDTH, height = Math.max(8, Math.min(4 * WIDTH, Math.round(WIDTH * aspect)));
  canvas.width = width;
  canvas.height = height;
  const down = weights(map.row_centres, height), across = weights(map.column_centres, width);
  const grid = new Float32Array(width * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) grid[y * width + x] = at(values, down[y], across[x]);
  const context = canvas.getContext("2d"), pixels = context.createImageData(width, height);
  grid.forEach((share, i) => {
    if (Number.isNaN(share)) return;
    const other = [i % width ? i - 1 : i, i >= width ? i - width : i];
    pixels.data.set([...COLOUR, 255 * STRONGEST * share], 4 * i);
    for (const j of other.filter((j) => share >= 0.5 !== grid[j] >= 0.5 && !Number.isNaN(grid[j]))) {
      pixels.data.set(share >= 0.5 ? LIGHT : DARK, 4 * i); // a pair of lines is seen on any picture
      pixels.data.set(share >= 0.5 ? DARK : LIGHT, 4 * j);
    }
  });
  context.putImageData(pixels, 0, 0);
}

// For each pixel the two centres around it, and the weight of the second.
function weights(centres, count) {
  return Array.from({ length: count }, (_, i) => {
    const place = (i + 0.5) / count;
    let after = centres.findIndex((centre) => centre >= place);
    if (after < 0) after = centres.length - 1;
    const before = Math.max(0, after - (centres[after] > place ? 1 : 0));
    const gap = centres[after] - centres[before];
    return [before, after, gap > 0 ? Math.min(1, Math.max(0, (place - centres[before]) / gap)) : 0];
  });
}

// NaN where the nearest tile is flat; other flat ones do not count.
function at(values, [top, bottom, down], [left, right, across]) {
  if (values[down < 0.5 ? top : bottom][across < 0.5 ? left : right] === null) return NaN;
  let sum = 0, total = 0;
  for (const [row, y] of [[top, 1 - down], [bottom, down]]) {
    for (const [column, x] of [[left, 1 - across], [right, across]]) {
      const value = values[row][column];
      if (value !== null) [sum, total] = [sum + value * x * y, total + x * y];
    }
  }
  return total > 0 ? sum / total : NaN;
}

// The same in words: where it is most and least probable.
function describe(name, map, values) {
  const places = values.flatMap((row, y) => row.map((share, x) => ({ share, y: map.row_centres[y], x: map.column_centres[x] })));
  const judged = places.filter((own) => own.share !== null).sort((a, b) => b.share - a.share);
  if (!judged.length) return `${name}: the picture is flat, nothing can be told.`;
  const [most, least] = [judged[0], judged.at(-1)];
  const flat = judged.length < places.length ? " Flat places are left out." : "";
  if (most.share - least.share < 0.05) return `${name}: about ${percent(most.share)} everywhere.${flat}`;
  const [high, low] = [most, least].map((own) => `${placeOf(own)} (${percent(own.share)})`);
  return `${name}: most probable ${high}, least ${low}.${flat}`;
}

function placeOf({ x, y }) {
  const down = y < 0.4 ? "at the top" : y > 0.6 ? "at the bottom" : "in the middle";
  const across = x < 0.4 ? "left" : x > 0.6 ? "right" : "";
  return `${down} ${across}`.trim();
}
