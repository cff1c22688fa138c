// One distortion of the picture in hand: its severity, or its physical parameters, by sliders.

import { freshId, make, makeChoices } from "./dom.js";
import { scaleOf, STEPS, typed } from "./scale.js";
import { nameOf, number, strengthOf } from "./words.js";

const SEVERITY = { name: "severity", unit: "", low: 0, high: 1, default: 0.4, weakest: 0, whole: false };
const EVEN = {
  min: 0,
  max: STEPS / 2,
  toPlace: (value) => Math.round((value * STEPS) / 2),
  toValue: (place) => (2 * place) / STEPS,
};

export class Step {
  #sliders = make("div");
  #mode = "severity";

  // `onchange(step)` hears every movement, `onremove(step)` the end.
  constructor(known, severity, { onchange, onremove }) {
    this.known = known;
    this.kind = known.kind;
    this.severity = severity;
    this.parameters = Object.fromEntries(known.parameters.map((own) => [own.name, own.default]));
    this.onchange = onchange;
    this.element = this.#build(onremove);
    this.#layOut();
  }

  // As the server takes it.
  get asked() {
    if (this.#mode === "severity") return { kind: this.kind, severity: this.severity };
    return { kind: this.kind, parameters: this.parameters };
  }

  // Null where it is given by its parameters.
  get knownSeverity() {
    return this.#mode === "severity" ? this.severity : null;
  }

  #build(onremove) {
    const name = nameOf(this.kind), title = freshId("step");
    const remove = make("button", { type: "button", class: "plain end", "aria-label": `Remove ${name}`, text: "Remove" });
    remove.addEventListener("click", () => onremove(this));
    const modes = [{ value: "severity", label: "severity" }, { value: "parameters", label: "parameters" }];
    const choices = makeChoices("By", modes, this.#mode, (mode) => {
      this.#mode = mode;
      this.#layOut();
      this.onchange(this);
    });
    const note = this.known.recognised ? this.known.group : `${this.known.group}, not told by name`;
    return make(
      "div",
      { class: "step", role: "group", "aria-labelledby": title, "data-kind": this.kind },
      make("div", { class: "row" }, make("h3", { id: title, text: name }), make("span", { class: "note", text: note }), remove),
      choices,
      this.#sliders,
    );
  }

  #layOut() {
    const byParameters = this.#mode === "parameters";
    const severity = () => this.#makeSlider(SEVERITY, EVEN, this.severity, (value) => (this.severity = value));
    const sliders = byParameters ? this.known.parameters.map((own) => this.#makeParameter(own)) : [severity()];
    this.#sliders.replaceChildren(...sliders);
  }

  #makeParameter(own) {
    return this.#makeSlider(own, scaleOf(own), this.parameters[own.name], (value) => (this.parameters[own.name] = value));
  }

  #makeSlider(parameter, scale, value, set) {
    const id = freshId("slider"), name = nameOf(parameter.name);
    const { low, high, unit } = parameter;
    const range = make("input", { type: "range", id, min: scale.min, max: scale.max, step: 1, value: scale.toPlace(value) });
    const step = parameter.whole ? 1 : "any";
    const exact = make("input", { type: "number", min: low, max: high, step, "aria-label": `${name}, as a number`, value });
    const say = (now) => {
      const strength = parameter === SEVERITY ? `, ${strengthOf(now)}` : "";
      range.setAttribute("aria-valuetext", `${number(now)}${unit && ` ${unit}`}${strength}`);
    };
    range.addEventListener("input", () => {
      const now = scale.toValue(Number(range.value));
      exact.value = now;
      this.#move(set, say, now);
    });
    exact.addEventListener("input", () => {
      const now = typed(parameter, exact.value);
      if (now === null) return;
      range.value = scale.toPlace(now);
      this.#move(set, say, now);
    });
    exact.addEventListener("change", () => (exact.value = typed(parameter, exact.value) ?? scale.toValue(Number(range.value))));
    say(value);
    const label = make("label", { for: id, text: name });
    const side = make("span", {}, exact, make("span", { class: "unit", text: unit ? ` ${unit}` : "" }));
    return make("div", { class: "slider" }, label, side, range);
  }

  #move(set, say, value) {
    set(value);
    say(value);
    this.onchange(this);
  }
}
