"""What all charts have in common."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure  # not pyplot: no window, no global state

from jaxdistort.files import making_whole

FORMATS = ("png", "svg")


def save_chart(figure: Figure, path: Path) -> None:
  """Writes path.png and path.svg; equal charts are equal files."""
  with mpl.rc_context({"svg.hashsalt": "jaxdistort"}):
    for suffix in FORMATS:
      metadata = {"Date": None} if suffix == "svg" else None
      with making_whole(path.with_name(f"{path.name}.{suffix}")) as unfinished:
        figure.savefig(unfinished, format=suffix, dpi=120, metadata=metadata)


def words(name: str) -> str:
  """A name of the code, as people read it."""
  return name.replace("_", " ")


def colour(place: int) -> Any:
  """Of the answer, or the kind of picture, at a place in the network's names."""
  return mpl.colormaps["tab10"](place % 10) if place < 10 else mpl.colormaps["tab20b"](place % 20)
