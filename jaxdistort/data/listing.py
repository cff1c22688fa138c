"""The pictures below a folder: what is listed, and what is left out and why."""

import os
from collections import Counter
from typing import NamedTuple

from jaxdistort.data.pictures import SUFFIXES
from jaxdistort.errors import reason_of
from jaxdistort.files import is_output

# What systems and storages keep beside photographs: previews, waste, snapshots.
_NOT_OF_PEOPLE = frozenset(
  {
    *("@eadir", "@tmp", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "@__thumb", ".@__thumb"),
    *("$recycle.bin", "recycler", "recycled", "system volume information", "found.000", "lost+found"),
    *("__macosx", "thumbnails", "_thumbnails", "thumbs", "_thumbs"),
  }
)
_PREVIEWS = (".lrdata", ".photoslibrary/resources", ".aplibrary/thumbnails")  # of programs that catalogue photographs


class Listing(NamedTuple):
  """What lies below a folder.

  Attributes:
    names: of the pictures, relative to it, ascending, with / between the parts on every system.
    left_out: what was not looked at, and why; a line each.
    unlisted: folders that could not be listed, relative to it; what lies in them is not known.
  """

  names: list[str]
  left_out: tuple[str, ...]
  unlisted: tuple[str, ...] = ()


def list_pictures(root: str) -> Listing:
  """Lists every file below a folder whose suffix is a picture's.

  Hidden files and folders are ignored. Folders that hold no photographs of people (waste, previews, ...), and those
  that this program writes, are left out and told, as is what cannot be listed. A folder that can be reached on several
  ways (links, mounts) is listed once, where it really lies if that is below the root.
  """
  walk = _Walk(root)
  walk.down("")
  while walk.links:  # behind the folders themselves, so that a link does not rename what it leads to
    walk.links.sort()
    walk.down(walk.links.pop(0))
  return Listing(sorted(walk.names), tuple(walk.remarks()), tuple(walk.unlisted))


class _Walk:
  """A folder's listing in the making."""

  def __init__(self, root: str):
    self.names: list[str] = []
    self.links: list[str] = []
    self.unlisted: list[str] = []
    self._root = root
    self._visited: set[object] = set()
    self._skipped: Counter[str] = Counter()
    self._outputs: list[str] = []
    self._failed: list[str] = []

  def down(self, top: str) -> None:
    """Lists a folder, given by its relative path, and all below it that are no links."""
    waiting = [top]
    while waiting:
      folder = waiting.pop()
      place = os.path.join(self._root, folder)
      try:
        if self._known(place):
          continue
        with os.scandir(place) as found:
          entries = sorted(found, key=lambda entry: entry.name, reverse=True)  # the first is the next to go to
        if is_output([entry.name for entry in entries]):
          self._outputs.append(folder)
          if folder:
            continue
        for entry in entries:
          self._add(folder, entry, waiting)
      except OSError as error:
        self.unlisted.append(folder)
        self._failed.append(f"{place} cannot be listed ({reason_of(error)}): pictures in it are missing")

  def _known(self, place: str) -> bool:
    """Whether a folder was listed, on whichever way; from now on it was."""
    status = os.stat(place)
    key = (status.st_dev, status.st_ino) if status.st_ino else os.path.realpath(place)
    known = key in self._visited
    self._visited.add(key)
    return known

  def _add(self, folder: str, entry: "os.DirEntry[str]", waiting: list[str]) -> None:
    name = f"{folder}/{entry.name}" if folder else entry.name
    if entry.name.startswith("."):
      return
    if _is_folder(entry):
      lower = name.lower()
      if entry.name.lower() in _NOT_OF_PEOPLE or lower.endswith(_PREVIEWS):
        self._skipped[entry.name] += 1
      else:
        (self.links if entry.is_symlink() else waiting).append(name)
    elif os.path.splitext(entry.name)[1].lower() in SUFFIXES:
      self.names.append(name)

  def remarks(self) -> list[str]:
    skipped = [f"{name} ({count} folders)" if count > 1 else name for name, count in sorted(self._skipped.items())]
    lines = list(self._failed)
    if skipped:
      lines.append(f"{self._root}: left out, as no photographs of people: {_some(skipped)}")
    outputs = sorted(filter(None, self._outputs))
    if len(outputs) < len(self._outputs):
      lines.append(f"{self._root}: is an output of this program itself: its pictures count as photographs")
    if outputs:
      lines.append(f"{self._root}: left out, as outputs of this program: {_some(outputs)}")
    return lines


def _is_folder(entry: "os.DirEntry[str]") -> bool:
  try:
    return entry.is_dir()
  except OSError:  # links in a circle: whoever reads it will say so
    return False


def _some(names: list[str]) -> str:
  """The first few, and how many more there are."""
  return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
