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
  wanted: dict[Path, Path] = {}
  sorted_here = set()
  for path, names in findings:
    file = (folder / path).absolute()
    sorted_here.add(file)
    stem, suffix = os.path.splitext(path.replace("/", "_"))
    for name in names:
      place = target / name
      place.mkdir(exist_ok=True)
      wanted[free_name(place, stem, suffix, wanted)] = file
  for link in target.glob("*/*"):
    if link.is_symlink() and link not in wanted and (not link.exists() or Path(os.readlink(link)) in sorted_here):
      link.unlink()
  for link, file in wanted.items():
    _point(link, file)


def _point(link: Path, file: Path) -> None:
  if link.is_symlink():
    if Path(os.readlink(link)) == file:
      return
    link.unlink()
  link.symlink_to(file)
