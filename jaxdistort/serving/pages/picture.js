// The picture in hand: what is wrong with it, how strongly, where, and what helps.

import { distort, Latest, predict } from "./api.js";
import { makeAnswer, makeBars } from "./answer.js";
import { announce, find, make, patiently, showError } from "./dom.js";
import { Shown } from "./heatmap.js";
import { inWords } from "./words.js";

const PART = 1024; // pixels of the middle square, of what neither the browser nor the server shows whole

export class PictureView {
  #latest = new Latest();
  #shown = new Shown(find("shown"));

  // `onread(file)` hears of a picture that the server can read, `onfail()` of one that it cannot.
  constructor({ onread, onfail }) {
    this.onread = onread;
    this.onfail = onfail;
  }

  async open(file) {
    const panel = find("answer-panel");
    panel.hidden = false;
    panel.dataset.state = "working";
    showError(find("picture-error"), null);
    find("answer").replaceChildren();
    find("shown").hidden = false;
    this.#shown.map = null;
    this.#shown.offer([], "");
    const done = patiently(find("picture-state"), "Looking at the picture …", 150);
    try {
      await this.#latest.run((signal) => this.#judge(file, signal, done));
    } catch (error) {
      panel.dataset.state = "failed";
      find("shown").hidden = panel.dataset.read !== "true";
      showError(find("picture-error"), `${file.name || "The picture"}: ${error.message}`);
      if (panel.dataset.read !== "true") this.onfail();
    } finally {
      done();
    }
  }

  async #judge(file, signal, done) {
    const panel = find("answer-panel");
    panel.dataset.read = false;
    const showing = this.#show(file, signal);
    const onWait = (seconds) => (find("picture-state").textContent = `The server is busy: again in ${seconds} s …`);
    const record = await predict(file, { signal, onWait });
    done();
    panel.dataset.read = true;
    const title = make("h3", { class: "block", text: "Probability of each group" });
    find("answer").replaceChildren(...makeAnswer(record), title, makeBars(record.groups));
    panel.dataset.state = "answered";
    announce(inWords(record));
    this.onread(file);
    if (!(await showing)) return; // over a part of the picture the map would lie wrong
    const located = patiently(find("picture-state"), "Looking for where …");
    try {
      const found = record.distortions[0]?.group ?? "";
      const { map } = await predict(file, { maps: true, signal, onWait });
      this.#shown.offer(Object.keys(record.groups), found);
      this.#shown.map = map;
      panel.dataset.state = "located";
    } finally {
      located();
    }
  }

  // As the browser shows it; what it cannot (TIFF, raw files) comes from the server. Whether it is shown whole.
  async #show(file, signal) {
    const alt = `The picture ${file.name ?? ""}`.trim();
    if ((await this.#shown.show(file, alt)) || signal.aborted) return true;
    for (const size of [undefined, PART]) {
      try {
        const readable = await distort(file, [], { size, signal });
        if (!signal.aborted) await this.#shown.show(readable, size ? `The middle of ${alt}` : alt);
        return !size;
      } catch (error) {
        if (error.status !== 413) return true; // why it cannot be read is said by the answer
      }
    }
    return false;
  }
}
