"""Files that survive the death of the process at any moment."""

from pathlib import Path


def write_whole(path: Path, content: str | bytes) -> None:
  """Writes a file beside its place and renames it; leaves nothing of it if it cannot be written."""
  unfinished = path.with_name(f"{path.name}.partial")
  try:
    # Names of files that are no UTF-8 go out as the bytes they came in as.
    unfinished.write_bytes(content.encode(errors="surrogateescape") if isinstance(content, str) else content)
    unfinished.replace(path)
  except BaseException:
    unfinished.unlink(missing_ok=True)
    raise


def complete_rows(path: Path) -> list[str]:
  """The JSON objects, as text, of a file of one a row whose last row a crash may have cut short."""
  rows = path.read_text().split("\n")[:-1] if path.exists() else []
  return [row for row in rows if row.startswith("{") and row.endswith("}")]
