// Every kind at five severities, made of the picture in hand when a kind is opened.

import { distort, isAborted } from "./api.js";
import { announce, find, make, showBlob, showError } from "./dom.js";
import { nameOf, number, strengthOf } from "./words.js";

const SEVERITIES = [0.2, 0.4, 0.6, 0.8, 1];
const SIDE = 256;

export class Gallery {
  #source = null;
  #stop = new AbortController();

  // `getSample()` gives a picture for those who have none; `onpick(kind, severity)` hears what shall be tried.
  constructor(kinds, { getSample, onpick }) {
    this.getSample = getSample;
    this.onpick = onpick;
    const parts = kinds.groups.flatMap((group) => [
      make("h3", { text: group }),
      make("div", { class: "kinds" }, ...kinds.of(group).map((known) => this.#makeKind(known))),
    ]);
    find("kinds").replaceChildren(...parts);
    this.take(null);
  }

  // The picture of which it is made; null for the sample.
  take(blob) {
    this.#source = blob;
    this.#stop.abort();
    this.#stop = new AbortController();
    showError(find("gallery-error"), null);
    const whose = blob ? "Of the picture in hand" : "Of a sample, as no picture is chosen";
    find("gallery-of").textContent = `${whose}. Open a kind to see it; choose one of its pictures to try it with sliders.`;
    for (const details of find("kinds").querySelectorAll("details")) {
      details.open = false;
      details.querySelector(".five").replaceChildren();
    }
  }

  #makeKind({ kind, recognised }) {
    const note = recognised ? null : make("span", { class: "note", text: "not told by name" });
    const summary = make("summary", {}, nameOf(kind), note);
    const details = make("details", { "data-kind": kind }, summary, make("div", { class: "five" }));
    details.addEventListener("toggle", () => details.open && this.#fill(details, kind));
    return details;
  }

  async #fill(details, kind) {
    const place = details.querySelector(".five"), { signal } = this.#stop;
    if (place.childElementCount) return;
    const note = make("p", { class: "working", text: "Compiling: once, some seconds …" });
    const figures = SEVERITIES.map((severity) => this.#makeFigure(kind, severity));
    place.append(note, ...figures.map(({ figure }) => figure));
    showError(find("gallery-error"), null);
    try {
      const source = this.#source ?? (await this.getSample());
      const load = async ({ image, severity }) => {
        showBlob(image, await distort(source, [{ kind, severity }], { size: SIDE, signal, retries: 5 }));
      };
      await load(figures[0]); // the program is compiled once, and not for five at a time
      note.remove();
      await Promise.all(figures.slice(1).map(load));
      details.dataset.state = "shown";
      announce(`${nameOf(kind)}: five pictures`);
    } catch (error) {
      place.replaceChildren();
      if (isAborted(error) || signal.aborted) return;
      details.open = false;
      showError(find("gallery-error"), `${nameOf(kind)}: ${error.message}`);
    }
  }

  #makeFigure(kind, severity) {
    const image = make("img", { alt: `${nameOf(kind)}, severity ${number(severity)}` });
    const label = `Try ${nameOf(kind)} of severity ${number(severity)}`;
    const button = make("button", { type: "button", "aria-label": label, onclick: () => this.onpick(kind, severity) }, image);
    const caption = make("figcaption", { text: `${number(severity)}, ${strengthOf(severity)}` });
    return { severity, image, figure: make("figure", {}, button, caption) };
  }
}
