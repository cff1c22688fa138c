"""Files that are whole or not there, whenever the process dies."""

from pathlib import Path


def write_whole(path: Path, text: str) -> None:
  """Writes a file beside its place and renames it."""
  unfinished = path.with_name(f"{path.name}.partial")
  unfinished.write_text(text)
  unfinished.replace(path)
