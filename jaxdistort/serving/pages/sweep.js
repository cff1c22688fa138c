// The answer to the picture in hand over the severity of one kind, as a curve.

import { fetchSweep, Latest } from "./api.js";
import { announce, draw, find, make, patiently, showError } from "./dom.js";
import { SIDE } from "./sliders.js";
import { capital, nameOf, number, percent } from "./words.js";

const HEIGHT = 300, WIDEST = 640, NARROWEST = 280; // pixels
const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];

// Where things lie in a chart of a width.
function plotOf(width) {
  const left = 40, right = width - 12, top = 14, bottom = HEIGHT - 44;
  return {
    ...{ width, left, right, top, bottom },
    x: (severity) => left + severity * (right - left),
    y: (share) => bottom - share * (bottom - top),
  };
}

export class Sweep {
  #latest = new Latest();
  #square = null;
  #drawn = null; // the kind of which a curve is shown
  #last = null;
  #now = draw("line", { class: "now", visibility: "hidden" });
  #plot = plotOf(WIDEST);

  constructor(kinds) {
    this.kinds = kinds;
    kinds.fill(find("sweep-kind"), "defocus_blur");
    find("sweep-draw").addEventListener("click", () => this.#ask(find("sweep-kind").value));
  }

  // Follows the lab: its picture, the kind that was added last, the severity of the kind that is shown.
  follow(lab) {
    if (lab.square !== this.#square) this.#renew(lab.square);
    if (lab.lastKind && lab.lastKind !== this.#last) find("sweep-kind").value = lab.lastKind;
    this.#last = lab.lastKind;
    this.severityOf = (kind) => lab.severityOf(kind);
    this.#mark();
  }

  close() {
    this.#renew(null);
  }

  #renew(square) {
    this.#latest.abort();
    this.#square = square;
    this.#drawn = null;
    find("sweep").hidden = !square;
    find("curve").replaceChildren();
    showError(find("sweep-error"), null);
  }

  async #ask(kind) {
    const place = find("curve"), square = this.#square;
    const done = patiently(find("sweep-state"), `Eleven severities of ${nameOf(kind)}: some seconds the first time …`, 100);
    showError(find("sweep-error"), null);
    try {
      const found = await this.#latest.run((signal) => fetchSweep(square, kind, { size: SIDE, signal }));
      if (!found) return;
      this.#drawn = kind;
      const cell = make("div");
      place.replaceChildren(cell, make("div", {}, ...makeWords(found)));
      this.#plot = plotOf(Math.max(NARROWEST, Math.min(WIDEST, cell.clientWidth)));
      cell.append(makeChart(found, this.#plot, this.#now));
      place.dataset.kind = kind;
      this.#mark();
      announce(summaryOf(found));
    } catch (error) {
      showError(find("sweep-error"), error.message);
    } finally {
      done();
    }
  }

  #mark() {
    const severity = this.#drawn === null ? null : (this.severityOf?.(this.#drawn) ?? null);
    this.#now.setAttribute("visibility", severity === null ? "hidden" : "visible");
    if (severity === null) return;
    const { x, top, bottom } = this.#plot;
    const ends = { x1: x(severity), x2: x(severity), y1: top, y2: bottom };
    for (const [name, value] of Object.entries(ends)) this.#now.setAttribute(name, value);
  }
}

function makeChart(found, plot, now) {
  const { x, y, left, right, bottom } = plot, box = `0 0 ${plot.width} ${HEIGHT}`;
  const title = `true severity of ${nameOf(found.kind)}`;
  const chart = draw("svg", { class: "curve", viewBox: box, role: "img", "aria-label": summaryOf(found) });
  for (const tick of TICKS) {
    chart.append(
      draw("line", { class: "grid", x1: left, x2: right, y1: y(tick), y2: y(tick) }),
      draw("text", { x: left - 8, y: y(tick) + 4, "text-anchor": "end", text: number(tick) }),
      draw("text", { x: x(tick), y: bottom + 18, "text-anchor": "middle", text: number(tick) }),
    );
  }
  chart.append(
    draw("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom }),
    draw("text", { x: (left + right) / 2, y: HEIGHT - 6, "text-anchor": "middle", text: title }),
    draw("line", { class: "ideal", x1: x(0), y1: y(0), x2: x(1), y2: y(1) }),
    now,
  );
  for (const { values, look, dots } of linesOf(found)) {
    chart.append(draw("path", { class: `line ${look}`, d: pathOf(plot, found.severities, values) }));
    if (dots) chart.append(...dotsOf(plot, found.severities, values, look));
  }
  return chart;
}

// What is drawn, the least important first.
function linesOf(found) {
  const group = { name: `probability of the group ${found.group}`, values: found.group_probabilities, look: "three" };
  const own = { name: `probability of ${nameOf(found.kind)}`, values: found.probabilities, look: "one", dots: true };
  const severity = { name: "estimated severity", values: found.estimated, look: "two", dots: true };
  return [group, own, severity].filter(({ values }) => values?.some((value) => value !== null));
}

// A line is broken where there is no value.
function pathOf({ x, y }, severities, values) {
  const points = values.map((value, i) => (value === null ? null : `${x(severities[i]).toFixed(1)} ${y(value).toFixed(1)}`));
  return points.map((point, i) => (point === null ? "" : `${i && points[i - 1] !== null ? "L" : "M"}${point}`)).join("");
}

function dotsOf({ x, y }, severities, values, look) {
  const shown = values.flatMap((value, i) => (value === null ? [] : [[severities[i], value]]));
  return shown.map(([severity, value]) => draw("circle", { class: `dot ${look}`, cx: x(severity), cy: y(value), r: 3.5 }));
}

function makeWords(found) {
  return [make("p", { text: summaryOf(found) }), makeKeys(found), makeTable(found)];
}

function makeKeys(found) {
  const keys = linesOf(found).reverse().map(({ name, look }) => ({ name, look: `line ${look}` }));
  keys.push({ name: "a perfect estimate", look: "ideal" });
  const items = keys.map(({ name, look }) => {
    const sign = draw("svg", { class: "curve", viewBox: "0 0 36 12", "aria-hidden": "true" });
    sign.append(draw("path", { class: look, d: "M0 6L36 6" }));
    return make("li", {}, sign, name);
  });
  return make("ul", { class: "keys note" }, ...items);
}

function makeTable(found) {
  const lines = linesOf(found);
  const head = ["true severity", ...lines.map(({ name }) => name)].map((text) => make("th", { scope: "col", text }));
  const rows = found.severities.map((severity, i) => {
    const cells = lines.map(({ values }) => make("td", { text: values[i] === null ? "none" : values[i].toFixed(2) }));
    return make("tr", {}, make("th", { scope: "row", text: number(severity) }), ...cells);
  });
  const table = make("table", { class: "list" }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows));
  const wide = make("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "The curve as a table" }, table);
  return make("details", {}, make("summary", { text: "As a table" }), wide);
}

function summaryOf(found) {
  const values = found.probabilities ?? found.group_probabilities;
  if (!values) return `${capital(nameOf(found.kind))}: neither it nor its group is known to the recogniser.`;
  const name = nameOf(found.probabilities ? found.kind : found.group);
  const from = found.severities.find((_, i) => values[i] !== null && values[i] >= 0.5);
  const seen = from === undefined ? "stays below 50\u00a0%" : `reaches 50\u00a0% at severity ${number(from)}`;
  const last = values.at(-1) === null ? "" : `, and is ${percent(values.at(-1))} at severity 1`;
  const estimated = found.estimated.at(-1);
  const severity = estimated === null ? "" : `; there the severity is estimated as ${number(estimated, 2)}`;
  return `${capital(nameOf(found.kind))}: the probability of ${name} ${seen}${last}${severity}.`;
}
