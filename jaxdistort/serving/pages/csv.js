// Tables as CSV (RFC 4180), safe to open in a spreadsheet.

const FORMULA = /^[=+\-@\t\r\n]/; // what makes a spreadsheet compute a cell: the name of a file must not

function cellOf(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// Of rows of texts, numbers and nulls; with a mark by which spreadsheets know UTF-8.
export function toCsv(header, rows) {
  return `\ufeff${[header, ...rows].map((row) => row.map(cellOf).join(",")).join("\r\n")}\r\n`;
}

const joined = (names) => [...new Set(names.filter(Boolean))].join(";");

// The columns of `jaxdistort scan`, as far as a page knows them.
export function rowsOf(results, groups) {
  const header = ["path", "bytes", "error", "clean", "unclear", "groups", "kinds", "doubtful", ...groups];
  header.push(...groups.map((group) => `p_${group}`));
  const rows = results.map(({ path, file, record, error }) => {
    if (!record) return [path, file.size, error, ...Array(header.length - 3).fill(null)];
    const found = record.distortions;
    const severities = groups.map((group) => worst(found.filter((own) => own.group === group)));
    return [
      ...[path, file.size, null, record.clean ? 1 : 0, record.unclear],
      ...[joined(found.map((own) => own.group)), joined(found.map((own) => own.kind)), joined(record.doubtful)],
      ...severities,
      ...groups.map((group) => rounded(record.groups[group])),
    ];
  });
  return { header, rows };
}

// The greatest severity, or null.
export function worst(distortions) {
  const severities = distortions.map((own) => own.severity).filter((severity) => severity !== null);
  return severities.length ? rounded(Math.max(...severities)) : null;
}

const rounded = (value) => (value === undefined ? null : Number(value.toFixed(4)));
