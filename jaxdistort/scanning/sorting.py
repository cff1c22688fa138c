"""Pictures sorted into folders by what was found, as links; the pictures themselves stay where they are."""

import os
from collections.abc import Iterable
from pathlib import Path

from jaxdistort.errors import InputError
from jaxdistort.files import free_name, is_output, make_output


def make_target(target: Path) -> None:
  """Makes the folder into which pictures are sorted, marked as this program's: nothing looks for pictures there.

  Raises:
    InputError: it is somebody's, whose links would pass for ours.
  """
  if target.exists() and not target.is_dir():
    raise InputError(f"{target}: is a file; give a folder to sort into")
  make_output(target)
  if not is_output(os.listdir(target)):
    raise InputError(f"{target}: holds other files; give a new folder to sort into")


def sort_into(target: Path, folder: Path, findings: Iterable[tuple[str, tuple[str, ...]]]) -> None:
  """Links every picture below `target`, in a folder of each of its findings, and brings earlier links up to date.

  Links to other pictures, such as those of another shard, stay, unless these have gone.

  Args:
    target: see `make_target`.
    folder: of the pictures.
    findings: paths below `folder` and the names of the folders of each.
  """
  files = {path: ((folder / path).absolute(), names) for path, names in findings}
  sorted_here = {file for file, _ in files.values()}
  there = set(target.glob("*/*"))
  others = {link for link in there if link.exists() and not (link.is_symlink() and _target(link) in sorted_here)}
  wanted: dict[Path, Path] = {}
  taken = set(others)
  for path, (file, names) in files.items():
    stem, suffix = os.path.splitext(path.replace("/", "_"))
    for name in names:
      place = target / name
      place.mkdir(exist_ok=True)
      link = free_name(place, stem, suffix, taken)
      taken.add(link)
      wanted[link] = file
  for link in there - others - wanted.keys():
    link.unlink()
  for link, file in wanted.items():
    _point(link, file)


def _target(link: Path) -> Path:
  return Path(os.readlink(link))


def _point(link: Path, file: Path) -> None:
  if link.is_symlink():
    if _target(link) == file:
      return
    link.unlink()
  link.symlink_to(file)
