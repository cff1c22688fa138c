"""Files that survive the death of the process at any moment."""

from pathlib import Path


def write_whole(path: Path, text: str) -> None:
  """Writes a file beside its place and renames it."""
  unfinished = path.with_name(f"{path.name}.partial")
  unfinished.write_text(text)
  unfinished.replace(path)


def complete_rows(path: Path) -> list[str]:
  """The JSON objects, as text, of a file of one a row whose last row a crash may have cut short."""
  rows = path.read_text().split("\n")[:-1] if path.exists() else []
  return [row for row in rows if row.startswith("{") and row.endswith("}")]
