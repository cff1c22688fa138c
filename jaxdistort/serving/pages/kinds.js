// The kinds that the server knows, and lists of them to choose from.

import { make } from "./dom.js";
import { nameOf } from "./words.js";

export class Kinds {
  // `kinds` as the server lists them: in the order of physics.
  constructor(kinds) {
    this.all = kinds;
    this.byName = new Map(kinds.map((own) => [own.kind, own]));
    this.groups = [...new Set(kinds.map((own) => own.group))];
  }

  of(group) {
    return this.all.filter((own) => own.group === group);
  }

  // Names in the order in which they are applied.
  inOrder(names) {
    const wanted = new Set(names);
    return this.all.map((own) => own.kind).filter((kind) => wanted.has(kind));
  }

  // Fills a select, a part for each group; those without a name in the recogniser's answers are marked.
  fill(select, chosen) {
    const parts = this.groups.map((group) => {
      const options = this.of(group).map(({ kind, recognised }) => {
        const text = recognised ? nameOf(kind) : `${nameOf(kind)} (not told by name)`;
        return make("option", { value: kind, text, selected: kind === chosen });
      });
      return make("optgroup", { label: group }, ...options);
    });
    select.replaceChildren(...parts);
  }
}
