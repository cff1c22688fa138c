// Elements, built and found. No HTML from strings: names of files and answers are texts and stay so.

const SVG = "http://www.w3.org/2000/svg";

export const find = (id) => document.getElementById(id);

// An element: attributes, `class`, `text`, and listeners by `on<event>`.
export function make(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

export function draw(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS(SVG, tag), attributes, children);
}

function furnish(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function announce(text) {
  find("announcement").textContent = text;
}

// Shows a line, or hides it where there is none.
export function showError(element, text) {
  element.textContent = text ?? "";
  element.hidden = !text;
}

let taken = 0;
export const freshId = (what) => `${what}-${++taken}`;

// The address of a blob in an image; the one before is given back.
export function showBlob(image, blob) {
  const before = image.dataset.blob;
  image.dataset.blob = URL.createObjectURL(blob);
  image.src = image.dataset.blob;
  if (before) URL.revokeObjectURL(before);
}

// Choices of which one holds: a fieldset of radio buttons.
export function makeChoices(legend, options, chosen, onchange) {
  const name = freshId("choice");
  const radios = options.map(({ value, label }) => {
    const input = make("input", { type: "radio", name, value, checked: value === chosen });
    input.addEventListener("change", () => input.checked && onchange(value));
    return make("label", {}, input, label);
  });
  return make("fieldset", { class: "choices" }, make("legend", { text: legend }), ...radios);
}

// Announces a wait only if it lasts: text that flickers says nothing.
export function patiently(element, text, after = 400) {
  const timer = setTimeout(() => (element.textContent = text), after);
  return () => {
    clearTimeout(timer);
    element.textContent = "";
  };
}
