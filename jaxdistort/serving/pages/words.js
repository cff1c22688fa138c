// Names and figures as people read them.

const SPELT = { jpeg: "JPEG", jpeg2000: "JPEG 2000", lab: "LAB", ycbcr: "YCbCr", gaussian: "Gaussian" };

export const nameOf = (kind) => kind.split("_").map((word) => SPELT[word] ?? word).join(" ");

// For the beginning of a line.
export const capital = (text) => text[0].toUpperCase() + text.slice(1);

export function percent(share) {
  if (share > 0 && share < 0.01) return "<1\u00a0%";
  if (share < 1 && share >= 0.995) return ">99\u00a0%";
  return `${Math.round(100 * share)}\u00a0%`;
}

export function number(value, digits = 3) {
  return String(Number(value.toPrecision(digits)));
}

export function strengthOf(severity) {
  if (severity < 0.125) return "hardly visible";
  if (severity < 0.375) return "slight";
  if (severity < 0.625) return "clear";
  return severity < 0.875 ? "strong" : "very strong";
}

export function levelOf(level) {
  const error = level.error === null || level.error === undefined ? "" : ` ± ${number(level.error, 2)}`;
  return `${nameOf(level.parameter)} ${number(level.value)}${error} ${level.unit ?? ""}`.trim();
}

export function findingOf(own) {
  const strength = own.severity === null ? "" : `, ${strengthOf(own.severity)}`;
  return `${nameOf(own.kind ?? own.group)} (${percent(own.probability)}${strength})`;
}

// A record in one sentence, for those who hear it.
export function inWords(record) {
  if (record.unclear) return `Cannot tell: ${record.unclear}.`;
  const found = record.distortions.map(findingOf);
  const doubt = record.doubtful.length ? ` Cannot rule out ${record.doubtful.map(nameOf).join(", ")}.` : "";
  return `${found.length ? `Found: ${found.join("; ")}.` : "Clean: nothing found."}${doubt}`;
}

export const countOf = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
