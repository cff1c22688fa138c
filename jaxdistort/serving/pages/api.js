// The server's answers, and what it says when it has none.

const ROOT = new URL("../", import.meta.url); // right behind a proxy's prefix, too
const LONGEST_WAIT = 30; // seconds that a busy server may ask for before a person is told instead
const HINTS = {
  401: "open the page with the address that the server printed when it started",
  413: "the picture is larger than this server takes",
};

export class RequestError extends Error {
  constructor(status, message, retryAfter = null) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

export const isAborted = (error) => error?.name === "AbortError";

// Sends a request. One that finds the server busy (429, 503) is sent again `retries` times after the time it asks for.
async function send(path, { form, signal, retries = 1, onWait } = {}) {
  for (let turn = 0; ; turn++) {
    let response;
    try {
      response = await fetch(new URL(path, ROOT), { method: form ? "POST" : "GET", body: form, signal });
    } catch (error) {
      if (isAborted(error)) throw error;
      throw await silence(form, signal);
    }
    if (response.ok) return response;
    const wait = Number(response.headers.get("retry-after")) || null;
    const busy = response.status === 429 || response.status === 503;
    if (!busy || turn >= retries || (wait ?? 1) > LONGEST_WAIT) throw await failure(response, wait);
    onWait?.(wait ?? 1);
    await pause((wait ?? 1) * 1000, signal);
  }
}

// A server that refuses a body need not read it to the end, and then the browser hears nothing but a broken connection.
async function silence(form, signal) {
  const lives = form && (await fetch(new URL("health", ROOT), { signal }).then((response) => response.ok, () => false));
  if (!lives) return new RequestError(0, "The server does not answer. Is it still running?");
  return new RequestError(413, "The server broke the request off: the picture may be larger than it takes.");
}

async function failure(response, wait) {
  let detail = "";
  try {
    const said = (await response.json()).detail;
    detail = typeof said === "string" ? said : (said?.[0]?.msg ?? "");
  } catch {
    // a proxy's page, perhaps: the status says enough
  }
  const status = response.status;
  const hint = status === 429 || status === 503 ? `try again in ${wait ?? "a few"} seconds` : HINTS[status];
  const parts = [detail || response.statusText || "the server refused", hint].filter(Boolean);
  return new RequestError(status, `${parts.join("; ")} (${status})`, wait);
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(new DOMException("aborted", "AbortError"));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
  });
}

function formOf(file, fields = {}) {
  const form = new FormData();
  form.append("file", file, file.name || "picture.png");
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined && value !== null) form.append(name, value);
  }
  return form;
}

// Kinds in the order in which light meets them: optics first, coding last.
export async function fetchKinds() {
  return (await send("v1/kinds")).json();
}

// What is wrong with one picture; with maps also where.
export async function predict(file, { maps = false, ...options } = {}) {
  const path = `v1/predict?maps=${maps}`;
  const [record] = await (await send(path, { form: formOf(file), ...options })).json();
  if (record.error) throw new RequestError(422, record.error);
  return record;
}

// The picture with distortions, as PNG.
export async function distort(file, steps, { seed = 0, size, ...options } = {}) {
  const form = formOf(file, { steps: JSON.stringify(steps), seed, size });
  return (await send("v1/distort", { form, ...options })).blob();
}

export async function fetchSweep(file, kind, { seed = 0, size, ...options } = {}) {
  return (await send("v1/sweep", { form: formOf(file, { kind, seed, size }), ...options })).json();
}

// Runs tasks of which each new one aborts the one before.
export class Latest {
  #controller = null;

  get busy() {
    return this.#controller !== null;
  }

  // Awaits `task(signal)`; gives undefined where a newer one took its place.
  async run(task) {
    this.#controller?.abort();
    const own = new AbortController();
    this.#controller = own;
    try {
      return await task(own.signal);
    } catch (error) {
      if (isAborted(error) || own.signal.aborted) return undefined;
      throw error;
    } finally {
      if (this.#controller === own) this.#controller = null;
    }
  }

  abort() {
    this.#controller?.abort();
    this.#controller = null;
  }
}
