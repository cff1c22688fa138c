// The table of a folder: sortable by each of its columns.

import { worst } from "./csv.js";
import { make } from "./dom.js";
import { findingOf, nameOf, percent, strengthOf } from "./words.js";

const MOST = 1000; // rows in the page; the file has them all

const byText = new Intl.Collator("en", { numeric: true }).compare;

function foundOf({ record, error }) {
  if (error) return error;
  if (record.unclear) return `cannot tell: ${record.unclear}`;
  return record.distortions.map(findingOf).join("; ") || "clean";
}

const most = ({ record }) => record?.distortions[0]?.probability ?? null;
const severity = ({ record }) => (record ? worst(record.distortions) : null);
const doubtful = ({ record }) => record?.doubtful.map(nameOf).join(", ") ?? "";

function bytesOf({ file }) {
  return file.size < 1e6 ? `${Math.max(1, Math.round(file.size / 1e3))} kB` : `${(file.size / 1e6).toFixed(1)} MB`;
}

const COLUMNS = [
  { name: "picture", value: (own) => own.path, text: (own) => own.path },
  { name: "found", value: foundOf, text: foundOf },
  { name: "probability", value: most, text: (own) => (most(own) === null ? "" : percent(most(own))), isNumber: true },
  {
    name: "severity", value: severity, isNumber: true,
    text: (own) => (severity(own) === null ? "" : `${severity(own).toFixed(2)} ${strengthOf(severity(own))}`),
  },
  { name: "cannot rule out", value: doubtful, text: doubtful },
  { name: "size", value: (own) => own.file.size, text: bytesOf, isNumber: true },
];

export class Table {
  #column = COLUMNS[0];
  #down = false;
  #results = [];
  #body = make("tbody");

  constructor(table, { onpick }) {
    this.onpick = onpick;
    this.heads = COLUMNS.map((column) => {
      const button = make("button", { type: "button", onclick: () => this.#sortBy(column) });
      return { column, button, cell: make("th", { scope: "col", class: column.isNumber ? "number" : null }, button) };
    });
    const head = make("tr", {}, ...this.heads.map(({ cell }) => cell));
    table.replaceChildren(make("caption", { class: "visually-hidden", text: "Answers" }), make("thead", {}, head), this.#body);
    this.#label();
  }

  // In the table's order.
  get results() {
    return this.#results;
  }

  // Shows these results; how many, if not all of them.
  show(results) {
    this.#results = [...results].sort((a, b) => this.#compare(a, b));
    this.#body.replaceChildren(...this.#results.slice(0, MOST).map((own) => this.#makeRow(own)));
    return results.length > MOST ? MOST : 0;
  }

  // First from small to great by texts, from great to small by numbers; then the other way.
  #sortBy(column) {
    this.#down = this.#column === column ? !this.#down : Boolean(column.isNumber);
    this.#column = column;
    this.#label();
    this.show(this.#results);
  }

  #label() {
    for (const { column, button, cell } of this.heads) {
      const isOwn = column === this.#column;
      if (isOwn) cell.setAttribute("aria-sort", this.#down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
      const arrow = make("span", { "aria-hidden": "true", text: isOwn ? (this.#down ? " ↓" : " ↑") : "" });
      button.replaceChildren(column.name, arrow);
    }
  }

  // What has no value comes last, either way.
  #compare(a, b) {
    const [one, other] = [this.#column.value(a), this.#column.value(b)];
    if (one === null || other === null) return (one === null) - (other === null) || byText(a.path, b.path);
    const order = this.#column.isNumber ? one - other : byText(one, other);
    return (this.#down ? -order : order) || byText(a.path, b.path);
  }

  #makeRow(own) {
    const cells = COLUMNS.map((column, i) => {
      const text = column.text(own);
      const className = column.isNumber ? "number" : i === 1 && own.error ? "failed" : null;
      if (i > 0) return make("td", { class: className, text });
      return make("td", {}, make("button", { type: "button", text, onclick: () => this.onpick(own.file) }));
    });
    return make("tr", {}, ...cells);
  }
}
