// Distorts the picture in hand while sliders move, and shows how the answer changes.

import { distort, Latest, predict } from "./api.js";
import { makeAnswer, makeBars } from "./answer.js";
import { announce, find, make, patiently, showError } from "./dom.js";
import { Shown } from "./heatmap.js";
import { Step } from "./step.js";
import { inWords, nameOf } from "./words.js";

export const SIDE = 512; // pixels: pictures of one shape share the server's programs
const QUIET = 60; // milliseconds without a movement, after which the server is asked
const MOST = 16; // kinds that the server applies one after the other
const LONGEST = 250; // of steady movement, after which it is asked all the same

export class Lab {
  #latest = new Latest();
  #steps = [];
  #used = new Set();
  #seed = 0;
  #square = null; // the undistorted picture
  #base = null; // the answer to it
  #now = null; // the distorted one
  #timer = 0;
  #asked = 0; // when

  // `onchange(lab)` hears of new pictures, of kinds that come and go, and of severities.
  constructor(kinds, onchange) {
    this.kinds = kinds;
    this.onchange = onchange;
    this.shown = new Shown(find("distorted"), { onchoose: () => this.#locate() });
    kinds.fill(find("kind"), "defocus_blur");
    find("add").addEventListener("click", () => this.add(find("kind").value));
    find("redraw").addEventListener("click", () => this.#redraw());
    find("compare").addEventListener("click", () => this.#compare());
  }

  get square() {
    return this.#square;
  }

  get lastKind() {
    return this.#steps.at(-1)?.kind ?? null;
  }

  // Of a kind that is applied by its severity; else null.
  severityOf(kind) {
    return this.#steps.find((own) => own.kind === kind)?.knownSeverity ?? null;
  }

  // Takes a picture, distorted by what is set.
  async open(file) {
    clearTimeout(this.#timer);
    this.#square = this.#base = null;
    this.#fail(null);
    this.#used.clear(); // a picture of another shape may need its programs compiled anew
    find("lab").hidden = true;
    await this.#guarded(async (signal) => {
      const square = await distort(file, [], { size: SIDE, signal });
      this.#base = await predict(square, { signal });
      this.#square = square;
      find("lab").hidden = false;
      this.onchange(this);
      await this.#apply(signal);
    });
  }

  close() {
    clearTimeout(this.#timer);
    this.#latest.abort();
    this.#square = null;
    find("lab").hidden = true;
  }

  // Adds a kind, or sets its severity; asked for at once, so that its program is compiled before a slider moves.
  add(kind, severity = 0.4) {
    this.#steps = this.#steps.filter((own) => own.kind !== kind);
    const hooks = { onchange: () => this.#moved(), onremove: (step) => this.#remove(step) };
    this.#steps.push(new Step(this.kinds.byName.get(kind), severity, hooks));
    this.#listed();
    announce(`${nameOf(kind)} added`);
    this.#ask();
  }

  #remove(step) {
    this.#steps = this.#steps.filter((own) => own !== step);
    this.#listed();
    find("add").focus();
    this.#ask();
  }

  #listed() {
    const inOrder = this.#inOrder();
    find("add").disabled = inOrder.length >= MOST;
    find("steps").replaceChildren(...inOrder.map((step) => step.element));
    for (const id of ["redraw", "compare"]) find(id).hidden = !inOrder.length;
    this.onchange(this);
  }

  #inOrder() {
    const byKind = new Map(this.#steps.map((step) => [step.kind, step]));
    return this.kinds.inOrder(byKind.keys()).map((kind) => byKind.get(kind));
  }

  #redraw() {
    this.#seed += 1;
    this.#ask();
  }

  get #isCompared() {
    return find("compare").getAttribute("aria-pressed") === "true";
  }

  #compare() {
    find("compare").setAttribute("aria-pressed", !this.#isCompared);
    this.#showPicture();
  }

  #showPicture() {
    const isOriginal = this.#isCompared && this.#steps.length > 0;
    const blob = isOriginal ? this.#square : this.#now;
    if (!blob) return;
    const names = this.#inOrder().map((step) => nameOf(step.kind)).join(", ");
    this.shown.show(blob, isOriginal || !names ? "The picture, undistorted" : `The picture with ${names}`);
    find("save").href = this.shown.image.src;
    find("save").hidden = false;
  }

  // Asks at once if nothing is under way, else when the sliders rest, or in between.
  #moved() {
    this.onchange(this);
    this.#state("moving");
    find("compare").setAttribute("aria-pressed", false); // who moves a slider wants to see what it does
    const now = performance.now(), rested = now - this.#asked;
    clearTimeout(this.#timer);
    if (!this.#latest.busy && (rested > LONGEST || (rested > QUIET && !this.#timer))) this.#ask();
    else this.#timer = setTimeout(() => this.#ask(), QUIET);
  }

  #ask() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#asked = performance.now();
    if (this.#square) this.#guarded((signal) => this.#apply(signal));
  }

  async #apply(signal) {
    this.#state("working");
    const steps = this.#inOrder(), fresh = steps.filter((step) => !this.#used.has(step.kind));
    const names = fresh.map((step) => nameOf(step.kind)).join(", ");
    const settled = patiently(find("lab-state"), fresh.length ? `Compiling ${names}: once, some seconds …` : "Working …");
    this.shown.waiting = fresh.length > 0;
    try {
      const onWait = (seconds) => (find("lab-state").textContent = `The server is busy: again in ${seconds} s …`);
      const asked = steps.map((step) => step.asked);
      const options = { size: SIDE, seed: this.#seed, signal, onWait };
      this.#now = asked.length ? await distort(this.#square, asked, options) : this.#square;
      for (const step of fresh) this.#used.add(step.kind);
      this.shown.map = null;
      this.#showPicture();
      const record = asked.length ? await predict(this.#now, { signal, onWait }) : this.#base;
      this.#answer(record, asked.length > 0);
    } finally {
      settled();
      this.shown.waiting = false;
    }
    await this.#maps(signal);
  }

  #answer(record, isDistorted) {
    this.#fail(null);
    const key = make("p", { class: "note" }, "Bars: now; ", make("span", { class: "key", "aria-hidden": "true" }), "before.");
    const bars = makeBars(record.groups, isDistorted ? this.#base.groups : null);
    const title = make("h3", { text: "Probability of each group" });
    const [verdict, ...more] = makeAnswer(record); // what moves with the sliders stays in its place, what grows comes after
    find("lab-answer").replaceChildren(verdict, title, bars, ...(isDistorted ? [key] : []), ...more);
    const chosen = record.groups[this.shown.group] === undefined ? "" : this.shown.group;
    if (!find("distorted").querySelector("fieldset")) this.shown.offer(Object.keys(record.groups), chosen);
    if (isDistorted) announce(inWords(record));
    this.#state("settled");
    find("lab").dataset.answers = Number(find("lab").dataset.answers ?? 0) + 1;
  }

  #locate() {
    if (this.#now && this.shown.group && !this.#latest.busy) this.#guarded((signal) => this.#maps(signal));
  }

  async #maps(signal) {
    if (!this.shown.group) return;
    const done = patiently(find("lab-state"), "Looking for where …");
    try {
      this.shown.map = (await predict(this.#now, { maps: true, signal })).map;
    } finally {
      done();
    }
  }

  async #guarded(task) {
    try {
      await this.#latest.run(task);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error) {
    if (error) find("lab").hidden = false;
    showError(find("lab-error"), error?.message);
    if (error) this.#state("failed");
  }

  #state(state) {
    find("lab").dataset.state = state;
  }
}
