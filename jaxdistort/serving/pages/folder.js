// Many pictures: asked for four at a time, and listed in a table.

import { isAborted, predict } from "./api.js";
import { rowsOf, toCsv } from "./csv.js";
import { announce, find, make, showError } from "./dom.js";
import { isPicture } from "./files.js";
import { Table } from "./table.js";
import { countOf, nameOf } from "./words.js";

const AT_ONCE = 4;

export class Folder {
  #results = [];
  #waiting = [];
  #running = 0;
  #total = 0;
  #left = 0; // files that are no pictures
  #stop = new AbortController();
  #drawing = 0;

  // `onpick(file)` hears which picture shall be looked at alone.
  constructor(kinds, { onpick }) {
    this.groups = kinds.groups;
    this.table = new Table(find("table"), { onpick });
    find("stop").addEventListener("click", () => this.#halt());
    find("clear").addEventListener("click", () => this.#clear());
    find("csv").addEventListener("click", () => this.#download());
    find("only").addEventListener("change", () => this.#draw());
    find("name").addEventListener("input", () => this.#draw());
    const options = [["", "everything"], ["clean", "clean"], ["found", "anything found"]];
    options.push(...this.groups.map((group) => [`group ${group}`, nameOf(group)]));
    options.push(["unclear", "cannot tell"], ["error", "unreadable"]);
    find("only").replaceChildren(...options.map(([value, text]) => make("option", { value, text })));
  }

  // Judges more files, [{file, path}]; what is no picture is left out.
  add(files) {
    const pictures = files.filter(({ file }) => isPicture(file));
    this.#left += files.length - pictures.length;
    find("table-panel").hidden = false;
    find("drop-many").classList.add("slim");
    showError(find("folder-error"), null);
    this.#waiting.push(...pictures);
    this.#total += pictures.length;
    while (this.#running < AT_ONCE && this.#waiting.length) this.#work();
    this.#draw();
  }

  async #work() {
    this.#running += 1;
    const { signal } = this.#stop;
    while (this.#waiting.length && !signal.aborted) {
      const own = this.#waiting.shift();
      try {
        this.#results.push({ ...own, record: await predict(own.file, { signal, retries: 20 }), error: null });
      } catch (error) {
        if (isAborted(error)) break;
        this.#results.push({ ...own, record: null, error: error.message });
        if (error.status === 0 || error.status === 401 || error.status === 403) {
          showError(find("folder-error"), error.message);
          this.#halt(); // the next ones would fare no better
        }
      }
      if (!signal.aborted) this.#soon();
    }
    this.#running -= 1;
    if (!this.#running) this.#finished();
  }

  #finished() {
    this.#draw();
    const failed = this.#results.filter(({ error }) => error).length;
    const unread = failed ? `, ${failed} could not be read` : "";
    announce(`${countOf(this.#results.length, "picture")} judged${unread}`);
  }

  #halt() {
    this.#total -= this.#waiting.length;
    this.#waiting = [];
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#total = this.#results.length;
    this.#draw();
  }

  #clear() {
    this.#results = [];
    this.#left = 0;
    this.#halt();
    find("table-panel").hidden = true;
    showError(find("folder-error"), null);
  }

  // A fast server would have the table drawn a hundred times a second.
  #soon() {
    this.#drawing ||= setTimeout(() => this.#draw(), 120);
  }

  #draw() {
    clearTimeout(this.#drawing);
    this.#drawing = 0;
    const only = find("only").value, holds = find("name").value.toLowerCase();
    const results = this.#results.filter((own) => own.path.toLowerCase().includes(holds) && isOf(own, only));
    const cut = this.table.show(results);
    find("count").textContent = `${countOf(results.length, "picture")}${cut ? `, the first ${cut} shown` : ""}`;
    find("csv").textContent = `Download CSV (${countOf(results.length, "row")})`;
    find("csv").disabled = !results.length;
    const done = this.#results.length, isBusy = done < this.#total;
    find("progress").max = this.#total || 1;
    find("progress").value = done;
    find("progress").hidden = !isBusy;
    const left = this.#left ? `; ${countOf(this.#left, "file")} left out: no pictures` : "";
    find("progress-text").textContent = `${isBusy ? `${done} of ${this.#total}` : `${countOf(done, "picture")} judged`}${left}`;
    find("stop").hidden = !isBusy;
    find("table-panel").dataset.state = isBusy ? "working" : "finished";
  }

  // What the table shows, in its order.
  #download() {
    const { header, rows } = rowsOf(this.table.results, this.groups);
    const url = URL.createObjectURL(new Blob([toCsv(header, rows)], { type: "text/csv;charset=utf-8" }));
    const link = make("a", { href: url, download: "answers.csv" });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser may begin late
  }
}

function isOf({ record, error }, only) {
  if (!only) return true;
  if (only === "error") return Boolean(error);
  if (!record) return false;
  if (only === "clean") return record.clean;
  if (only === "unclear") return Boolean(record.unclear);
  if (only === "found") return record.distortions.length > 0;
  return record.distortions.some((own) => `group ${own.group}` === only);
}
