"""A collection as one HTML page that needs nothing else: how much of what was found, and the worst of each."""

import base64
import heapq
import io
import math
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import jinja2
from PIL import Image

from jaxdistort.data.pictures import read_or
from jaxdistort.errors import printable
from jaxdistort.scanning.formats import UNCLEAR, UNREADABLE, Known
from jaxdistort.scanning.places import Place
from jaxdistort.tasks import CLEAN

_WORST = 12  # pictures of each group that are shown
_LISTED = 1000  # pictures of the page's table, the worst ones: a browser takes no million
_BINS = 10  # of the severities, even in 0..1
_SIDE = 200  # pixels of a picture that is shown


class Group(NamedTuple):
  """What was found of a group.

  Attributes:
    name: of the group.
    pictures: on which it was found.
    bins: how many of these have a severity in each of the tenths of 0..1.
    worst: the worst of them.
  """

  name: str
  pictures: int
  bins: list[int]
  worst: list["Shown"]


class Shown(NamedTuple):
  """A picture of the page.

  Attributes:
    name: of the file, relative to the folder.
    uri: of the file.
    said: what was found, in words.
    severity: the greatest that was found; of the group, where it stands for that; None where there is none.
    findings: names of the groups, or what is said instead.
    image: a small copy as a URI; "" where none is shown, or the file cannot be read by now.
  """

  name: str
  uri: str
  said: str
  severity: float | None
  findings: tuple[str, ...]
  image: str = ""


def render_collection(place: Place, rows: Iterable[Known]) -> str:
  """The page on a scan: counts, severities, the worst of each group as pictures, and a table to sort and to filter.

  Only the worst are kept and read again, however many rows there are. Links lead to the files where they lie now.

  Args:
    place: that was scanned.
    rows: of the table, consumed once.
  """
  counts: Counter[str] = Counter()
  by_group: dict[str, _Worst] = {}
  listed, total = _Worst(_LISTED), 0
  for row in rows:
    total += 1
    counts.update(row.findings)
    if row.findings != (CLEAN,):
      listed.add(row.worst, row)
    for group, severity in row.severities.items():
      by_group.setdefault(group, _Worst(_WORST)).add(severity, row)
  groups = [_group(place, name, counts[name], by_group[name]) for name in sorted(by_group, key=lambda g: -counts[g])]
  environment = jinja2.Environment(loader=jinja2.PackageLoader("jaxdistort.scanning"), autoescape=True)
  environment.filters["printable"] = printable
  return environment.get_template("collection.html").render(
    folder=printable(str(place)),
    total=total,
    clean=counts[CLEAN],
    unclear=counts[UNCLEAR],
    unreadable=counts[UNREADABLE],
    groups=groups,
    listed=[_shown(place, row, severity) for severity, row in listed.sorted()],
    left_out=listed.offered - len(listed.sorted()),
  )


class _Worst:
  """The rows of the greatest severities, of all that are offered, and how often each tenth of severities came.

  Findings without a severity come first.
  """

  def __init__(self, most: int):
    self._most, self._heap, self.offered = most, list[tuple[float, int, float | None, Known]](), 0
    self.bins = [0] * _BINS

  def add(self, severity: float | None, row: Known) -> None:
    if severity is not None:
      self.bins[min(int(severity * _BINS), _BINS - 1)] += 1
    self.offered += 1
    entry = math.inf if severity is None else severity, -self.offered, severity, row  # of equals the first
    if len(self._heap) < self._most:
      heapq.heappush(self._heap, entry)
    else:
      heapq.heappushpop(self._heap, entry)

  def sorted(self) -> list[tuple[float | None, Known]]:
    return [(severity, row) for _, _, severity, row in sorted(self._heap, reverse=True)]


def _group(place: Place, name: str, pictures: int, worst: _Worst) -> Group:
  shown = (_shown(place, row, severity) for severity, row in worst.sorted())
  return Group(name, pictures, worst.bins, [own._replace(image=_small(place, own.name)) for own in shown])


def _shown(place: Place, row: Known, severity: float | None) -> Shown:
  said = row.reason or ", ".join(dict.fromkeys([*row.findings, *row.kinds])).replace("_", " ")
  return Shown(row.path, place.uri(row.path), printable(said), severity, row.findings)


def _small(place: Place, name: str) -> str:
  picture, _ = read_or(None, place.read, name)
  if picture is None:
    return ""
  picture.thumbnail((_SIDE, _SIDE), Image.Resampling.BICUBIC)
  content = io.BytesIO()
  picture.save(content, "JPEG", quality=85)
  return f"data:image/jpeg;base64,{base64.b64encode(content.getvalue()).decode()}"
