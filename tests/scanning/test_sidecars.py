"""Sidecars: what photo managers read of a scan, and what is never touched."""

from xml.etree import ElementTree

from jaxdistort.scanning.formats import UNCLEAR, UNREADABLE, Known, State
from jaxdistort.scanning.sidecars import write_sidecars
from jaxdistort.tasks import CLEAN

_RATING, _KEYWORD = "{http://ns.adobe.com/xap/1.0/}Rating", "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li"


def _row(name, *instead, kinds=(), **severities):
  return Known(name, State(1, 1, ""), b"", instead or tuple(severities), severities, kinds, (), {}, "")


def _read(path):
  """Stars, None where there are none, and keywords."""
  root = ElementTree.parse(path).getroot()
  ratings = [own.attrib[_RATING] for own in root.iter() if _RATING in own.attrib]
  return (int(ratings[0]) if ratings else None), [own.text for own in root.iter(_KEYWORD)]


def test_stars_and_keywords(tmp_path):
  rows = [
    _row("clean.jpg", CLEAN),
    _row("slight.jpg", blur=0.1),
    _row("both.jpg", blur=0.3, noise=0.6, kinds=("defocus_blur",)),
    _row("strong.jpg", light=0.9),
    _row("unmeasured.jpg", jpeg=None),
    _row("unclear.jpg", UNCLEAR),
    _row("broken.jpg", UNREADABLE),
  ]
  assert list(write_sidecars(tmp_path, rows)) == []
  assert _read(tmp_path / "clean.jpg.xmp") == (5, ["clean"])
  assert _read(tmp_path / "slight.jpg.xmp") == (4, ["blur"])
  assert _read(tmp_path / "both.jpg.xmp") == (2, ["blur", "noise", "defocus blur"])
  assert _read(tmp_path / "strong.jpg.xmp") == (1, ["light"])
  assert _read(tmp_path / "unmeasured.jpg.xmp") == (1, ["jpeg"])
  assert _read(tmp_path / "unclear.jpg.xmp") == (None, ["unclear"])
  assert not (tmp_path / "broken.jpg.xmp").exists()


def test_those_of_others_stay_and_ours_are_brought_up_to_date(tmp_path):
  (tmp_path / "a.jpg.xmp").write_text("<x:xmpmeta/>")
  assert list(write_sidecars(tmp_path, [_row("a.jpg", CLEAN)])) == [
    f"{tmp_path}/a.jpg.xmp: left as it is, somebody else wrote it"
  ]
  assert (tmp_path / "a.jpg.xmp").read_text() == "<x:xmpmeta/>"
  list(write_sidecars(tmp_path, [_row("b.jpg", CLEAN)]))
  before = (tmp_path / "b.jpg.xmp").stat()
  list(write_sidecars(tmp_path, [_row("b.jpg", CLEAN)]))
  assert (tmp_path / "b.jpg.xmp").stat() == before
  list(write_sidecars(tmp_path, [_row("b.jpg", blur=1.0)]))
  assert _read(tmp_path / "b.jpg.xmp") == (1, ["blur"])


def test_what_somebody_changed_in_ours_stays(tmp_path):
  list(write_sidecars(tmp_path, [_row("a.jpg", blur=1.0)]))
  path = tmp_path / "a.jpg.xmp"
  path.write_text(path.read_text().replace('Rating="1"', 'Rating="4"'))
  assert list(write_sidecars(tmp_path, [_row("a.jpg", CLEAN)])) == [f"{path}: left as it is, somebody else wrote it"]
  assert _read(path) == (4, ["blur"])


def test_a_place_that_cannot_be_written_stops_nothing(tmp_path):
  long = f"{'a' * 250}.jpg"
  lines = list(write_sidecars(tmp_path, [_row(long, CLEAN), _row("b.jpg", CLEAN)]))
  assert lines == [f"{tmp_path}/{long}.xmp: not written (File name too long)"]
  assert _read(tmp_path / "b.jpg.xmp") == (5, ["clean"])
