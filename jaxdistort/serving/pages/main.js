// What the page is made of, and where pictures that are dropped, pasted or chosen go.

import { fetchKinds } from "./api.js";
import { find, showError } from "./dom.js";
import { dropped, listed } from "./files.js";
import { Folder } from "./folder.js";
import { Gallery } from "./gallery.js";
import { Kinds } from "./kinds.js";
import { PictureView } from "./picture.js";
import { fetchSample } from "./sample.js";
import { Lab } from "./sliders.js";
import { Sweep } from "./sweep.js";

const VIEWS = ["picture", "gallery", "folder"];

function showView() {
  const wanted = location.hash.slice(1);
  if (!VIEWS.includes(wanted) && wanted) return; // a place within a view
  const view = wanted || VIEWS[0];
  for (const own of VIEWS) find(`view-${own}`).hidden = own !== view;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function go(view) {
  location.hash = view; // `hashchange` comes later; what follows may need the view at once
  showView();
}

class Page {
  constructor(kinds) {
    this.sweep = new Sweep(kinds);
    this.lab = new Lab(kinds, (lab) => this.#follow(lab));
    this.picture = new PictureView({
      onread: (file) => this.lab.open(file),
      onfail: () => this.#close(),
    });
    this.gallery = new Gallery(kinds, { getSample: fetchSample, onpick: (kind, severity) => this.#try(kind, severity) });
    this.folder = new Folder(kinds, { onpick: (file) => this.open(file) });
    this.square = null;
  }

  // One picture is looked at; several, or a folder, make a table.
  take(files, isFolder = false) {
    if (!files.length) return;
    if (files.length === 1 && !isFolder && find("view-folder").hidden) this.open(files[0].file);
    else this.addAll(files);
  }

  open(file) {
    go("picture");
    showError(find("trouble"), null);
    this.#close();
    find("drop").classList.add("slim");
    return this.picture.open(file);
  }

  addAll(files) {
    go("folder");
    this.folder.add(files);
  }

  #close() {
    this.lab.close();
    this.#follow(this.lab);
  }

  #follow(lab) {
    this.sweep.follow(lab);
    if (lab.square !== this.square) this.gallery.take(lab.square);
    this.square = lab.square;
  }

  async openSample() {
    try {
      this.open(await fetchSample());
    } catch (error) {
      showError(find("trouble"), error.message);
    }
  }

  async #try(kind, severity) {
    if (this.square) go("picture");
    else await this.openSample();
    this.lab.add(kind, severity);
    find("lab").scrollIntoView({ block: "nearest" });
    find("lab").querySelector(`[data-kind="${kind}"] input[type="range"]`).focus();
  }
}

function listen(page) {
  const inputs = [
    ["choose", "file", (files) => page.take(files)],
    ["choose-many", "files", (files) => page.addAll(files)],
    ["choose-folder", "directory", (files) => page.addAll(files)],
  ];
  for (const [button, id, taking] of inputs) {
    const input = find(id);
    find(button).addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      const files = listed(input.files);
      input.value = ""; // the same file may be chosen again
      if (files.length) taking(files);
    });
  }
  find("sample").addEventListener("click", () => page.openSample());
  document.addEventListener("paste", (event) => page.take(listed(event.clipboardData?.files ?? [])));
  listenToDrops(page);
}

function listenToDrops(page) {
  const over = (is) => document.body.classList.toggle("dragging", is);
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    over(true);
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && over(false));
  document.addEventListener("drop", async (event) => {
    over(false);
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    try {
      const { files, hasFolder } = await dropped(event.dataTransfer);
      page.take(files, hasFolder);
    } catch {
      showError(find("trouble"), "The browser does not give what was dropped. Choose it by the buttons instead.");
    }
  });
}

async function begin() {
  addEventListener("hashchange", showView);
  showView();
  try {
    listen(new Page(new Kinds(await fetchKinds())));
    document.body.dataset.state = "ready";
  } catch (error) {
    showError(find("trouble"), error.message);
  }
}

begin();
