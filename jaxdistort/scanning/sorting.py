"""Pictures sorted into folders by what was found, as links; the pictures themselves stay where they are."""

import itertools
import os
from collections.abc import Iterable
from pathlib import Path

from jaxdistort.files import free_name, make_output


def sort_into(target: Path, folder: Path, findings: Iterable[tuple[str, tuple[str, ...]]]) -> None:
  """Links every picture below `target`, in a folder of each of its findings, and brings earlier links up to date.

  Args:
    target: its folders are marked as this program's, so that nothing looks for pictures there.
    folder: of the pictures.
    findings: paths below `folder` and the names of the folders of each.
  """
  make_output(target)
  wanted: dict[Path, Path] = {}
  for path, names in findings:
    stem, suffix = os.path.splitext(path.replace("/", "_"))
    for name in names:
      place = target / name
      place.mkdir(exist_ok=True)
      endings = itertools.chain([suffix], (f"_{number}{suffix}" for number in itertools.count(2)))
      wanted[free_name(place, stem, endings, wanted)] = (folder / path).absolute()
  for link in target.glob("*/*"):
    if link.is_symlink() and link not in wanted:
      link.unlink()
  for link, file in wanted.items():
    _point(link, file)


def _point(link: Path, file: Path) -> None:
  if link.is_symlink():
    if Path(os.readlink(link)) == file:
      return
    link.unlink()
  link.symlink_to(file)
