// The human test: a picture, what is wrong with it, how strong that is; the next one.

import { announce, find, make, makeChoices, showError } from "./dom.js";
import { nameOf } from "./words.js";

const ROOT = new URL("../", import.meta.url); // right behind a proxy's prefix, too
const REMEMBERED = "jaxdistort-human-test";
const CLEAN = "clean";
const STAGES = { naming: ["group", "kind", "level"], choice: ["kind", "level"] };
const LEGENDS = { group: "What is wrong?", kind: "Which kind?", level: "How strong?" };
const STRENGTHS = ["hardly visible", "slight", "clear", "strong", "very strong"];

let person = recall();
let turn = null; // what is asked
let answer = {}; // what is chosen of it, by stage
let shownAt = null; // when its picture was there
let sending = false;
let retry = null; // what is tried again after trouble

// Somebody's random name outlives the page where the browser lets it.
function recall() {
  try {
    return localStorage.getItem(REMEMBERED);
  } catch {
    return null;
  }
}

function remember(name) {
  person = name;
  try {
    if (name) localStorage.setItem(REMEMBERED, name);
    else localStorage.removeItem(REMEMBERED);
  } catch {
    // then this page alone knows it
  }
}

const here = (path) => new URL(path.replace(/^\//, ""), ROOT);

// A response of the server; one that says no is an error with its status.
async function ask(path, content) {
  const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) };
  let response;
  try {
    response = await fetch(here(path), content === undefined ? {} : options);
  } catch {
    throw new Error("The server does not answer. Is it still running?");
  }
  if (response.ok) return response;
  const said = await response.json().catch(() => ({}));
  const detail = typeof said.detail === "string" ? said.detail : response.statusText;
  throw Object.assign(new Error(`${detail || "the server refused"} (${response.status})`), { status: response.status });
}

const turnOf = async (name) => (await ask(`v1/human/next?person=${encodeURIComponent(name)}`)).json();

function show(section) {
  for (const id of ["start", "test", "end"]) find(id).hidden = id !== section;
}

// Does something, and where it fails says so and offers to do it again.
async function attempt(task) {
  showError(find("trouble"), null);
  find("again").hidden = true;
  try {
    await task();
  } catch (error) {
    if (error.status === 404) {
      remember(null); // another test, or another file of answers, by now
      await open();
      return;
    }
    trouble(error.message, task);
  }
}

function trouble(text, task) {
  showError(find("trouble"), text);
  find("again").hidden = false;
  retry = task;
}

async function open() {
  const known = person && (await turnOf(person));
  find("begin").textContent = known ? `Go on (${known.done} of ${known.of} are done)` : "Begin";
  find("anew").hidden = !known;
  show(known && known.question === null ? "end" : "start");
}

async function begin() {
  if (!person) remember((await (await ask("v1/human/people", {})).json()).person);
  await next();
}

async function next() {
  turn = await turnOf(person);
  answer = {};
  if (turn.question === null) {
    show("end");
    find("end-title").focus();
    return;
  }
  show("test");
  find("test-title").textContent = `Picture ${turn.done + 1} of ${turn.of}`;
  find("progress").value = turn.done / turn.of;
  find("steps").replaceChildren();
  extend();
  load();
}

// Nothing can be chosen before the picture is there.
function load() {
  shownAt = null;
  find("test").dataset.state = "waiting";
  find("form").inert = true;
  find("state").textContent = "The picture is on its way …";
  find("picture").src = here(turn.picture);
}

function loaded() {
  shownAt = performance.now();
  find("test").dataset.state = "ready";
  find("form").inert = false;
  find("state").textContent = "";
  announce(find("test-title").textContent);
  focusOpen();
  if (turn.ahead) new Image().src = here(turn.ahead);
}

const openStage = () => STAGES[turn.mode].find((stage) => !(stage in answer));

// Asks for what comes next, if what is chosen does not say all.
function extend() {
  const stage = openStage();
  find("submit").disabled = stage !== undefined;
  if (stage) find("steps").append(makeStage(stage));
}

function makeStage(stage) {
  const options = optionsOf(stage);
  const labelled = options.map(({ key, value, text }) => {
    const label = key === null ? text : make("span", {}, make("kbd", { text: key }), ` ${text}`);
    return { value, label };
  });
  const fieldset = makeChoices(LEGENDS[stage], labelled, null, (value) => choose(stage, value));
  fieldset.dataset.stage = stage;
  fieldset.querySelectorAll("input").forEach((input, place) => {
    if (options[place].key !== null) input.dataset.key = options[place].key;
  });
  return fieldset;
}

// Digits count from 1; 0 is a picture with which nothing is wrong.
function optionsOf(stage) {
  const count = (values, text = nameOf) =>
    values.map((value, place) => ({ key: place < 9 ? String(place + 1) : null, value, text: text(value) }));
  if (stage === "level") {
    const levels = Array.from({ length: turn.levels }, (_, place) => place + 1);
    return count(levels, (level) => STRENGTHS[level - 1] ?? "");
  }
  if (stage === "group") return [{ key: "0", value: CLEAN, text: "nothing" }, ...count(Object.keys(turn.groups))];
  return count(turn.mode === "choice" ? turn.choices : turn.groups[answer.group]);
}

function choose(stage, value) {
  dropFrom(stage, false);
  answer[stage] = value;
  if (value === CLEAN) answer = { group: CLEAN, kind: CLEAN, level: null };
  extend();
}

// Forgets a stage's choice and all behind it; the stage itself stays to be asked again where it is `reopened`.
function dropFrom(stage, reopened) {
  const stages = STAGES[turn.mode];
  for (const later of stages.slice(stages.indexOf(stage))) {
    delete answer[later];
    if (later !== stage || reopened) find("steps").querySelector(`[data-stage="${later}"]`)?.remove();
  }
}

function focusOpen() {
  const stage = openStage();
  const target = stage ? find("steps").querySelector(`[data-stage="${stage}"] input`) : find("submit");
  target.focus();
}

function onKey(event) {
  if (find("test").hidden || shownAt === null || sending || event.ctrlKey || event.altKey || event.metaKey) return;
  const asked = [...find("steps").children];
  if (/^[0-9]$/.test(event.key)) {
    const radio = asked.at(-1).querySelector(`input[data-key="${event.key}"]`); // the open stage, or the last
    if (!radio) return;
    radio.click();
    focusOpen();
  } else if (event.key === "Backspace") {
    const chosen = asked.filter((fieldset) => fieldset.dataset.stage in answer).at(-1);
    if (!chosen) return;
    dropFrom(chosen.dataset.stage, true);
    extend();
    focusOpen();
  } else {
    return;
  }
  event.preventDefault();
}

async function submit() {
  if (shownAt === null || sending || openStage()) return;
  sending = true;
  const seconds = answer.seconds ?? (performance.now() - shownAt) / 1000;
  answer.seconds = seconds; // the first try's, not that of one more after trouble
  const { kind, level } = answer;
  try {
    await ask("v1/human/answers", { person, question: turn.question, kind, level, seconds });
  } catch (error) {
    if (error.status !== 409) throw error; // it arrived before, and its receipt was lost
  } finally {
    sending = false;
  }
  await next();
}

find("begin").addEventListener("click", () => attempt(begin));
for (const id of ["anew", "another"]) {
  find(id).addEventListener("click", () => {
    remember(null);
    attempt(begin);
  });
}
find("again").addEventListener("click", () => attempt(retry));
find("form").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(submit);
});
find("picture").addEventListener("load", loaded);
find("picture").addEventListener("error", () => trouble("The picture could not be loaded.", async () => load()));
find("picture").style.maxHeight = "none"; // pixel by pixel, where there is room
document.addEventListener("keydown", onKey);
attempt(open);
