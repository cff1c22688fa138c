// What the recogniser says of a picture, written out.

import { make } from "./dom.js";
import { capital, levelOf, nameOf, number, percent, strengthOf } from "./words.js";

// The answer to a picture.
export function makeAnswer(record) {
  const parts = [make("p", { class: "verdict", text: verdictOf(record) })];
  if (record.unclear) parts.push(make("p", { text: record.unclear }));
  const isOne = record.distortions.length === 1;
  parts.push(...record.distortions.map((own) => makeFinding(own, record.groups[own.group], !isOne)));
  if (record.doubtful.length) {
    parts.push(make("p", { class: "note", text: `Cannot rule out: ${record.doubtful.map(nameOf).join(", ")}.` }));
  }
  if (record.remarks) parts.push(make("p", { class: "note", text: record.remarks }));
  if (record.advice.length) parts.push(makeAdvice(record.advice));
  return parts;
}

export function verdictOf(record) {
  if (record.unclear) return "Cannot tell";
  if (!record.distortions.length) return "Clean: nothing found";
  const names = record.distortions.map((own) => nameOf(own.kind ?? own.group));
  return capital(names.length === 1 ? names[0] : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`);
}

// The group is often surer than any one of its kinds.
function makeFinding(own, ofGroup, isTitled) {
  const share = percent(own.probability);
  const rows = own.kind ? [] : [["kind", "cannot tell which"]];
  rows.push(["probability", own.kind ? `${share}; ${percent(ofGroup)} of ${nameOf(own.group)}` : share]);
  if (own.severity !== null) {
    const track = make("div", { class: "track", "aria-hidden": "true" }, filled(own.severity));
    rows.push(["severity", `${number(own.severity, 2)}, ${strengthOf(own.severity)}`, track]);
  }
  if (own.level) rows.push(["level", levelOf(own.level)]);
  if (own.angle) rows.push(["direction", levelOf(own.angle)]);
  const title = make("h3", { text: capital(nameOf(own.kind ?? own.group)) });
  return make(
    "div",
    { class: "finding" },
    isTitled ? make("div", { class: "row" }, title, make("span", { class: "note", text: nameOf(own.group) })) : null,
    make("dl", {}, ...rows.flatMap(([term, ...parts]) => [make("dt", { text: term }), make("dd", {}, ...parts)])),
  );
}

function makeAdvice(sentences) {
  const items = sentences.map((text) => make("li", { text }));
  return make("div", { class: "block" }, make("h3", { text: "What helps" }), make("ul", { class: "advice" }, ...items));
}

// The probability of every group; with those of a record before, how it has changed.
export function makeBars(groups, before = null) {
  const rows = Object.keys(before ?? groups).map((group) => { // in one order, while sliders move
    const share = groups[group], was = before?.[group];
    const track = make("div", { class: "track", "aria-hidden": "true" }, filled(share), ...(before ? [mark(was)] : []));
    const text = before ? `${percent(was)} → ${percent(share)}` : percent(share);
    const spoken = make("span", { class: "number", "data-group": group, text });
    return make("tr", {}, make("th", { scope: "row", text: nameOf(group) }), make("td", {}, track), make("td", {}, spoken));
  });
  return make("table", { class: "bars" }, make("tbody", {}, ...rows));
}

function filled(share) {
  const bar = make("i");
  bar.style.width = `${100 * share}%`;
  return bar;
}

function mark(share) {
  const tick = make("b");
  tick.style.left = `${100 * share}%`;
  return tick;
}
