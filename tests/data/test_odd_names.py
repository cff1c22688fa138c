"""Prepared pictures whose names tables do not like, and tables that a power cut has spoilt."""

import pytest
from PIL import Image

from jaxdistort.data import parse_sources
from jaxdistort.data.preparing import prepare
from jaxdistort.files import read_table
from tests.test_files import ODD_NAMES


@pytest.fixture
def photos(tmp_path):
  """A picture of each odd name; the last is broken."""
  folder = tmp_path / "photos"
  folder.mkdir()
  for level, name in enumerate(ODD_NAMES[:-1]):
    Image.new("RGB", (32, 32), (level, 0, 0)).save(folder / name)
  (folder / ODD_NAMES[-1]).touch()
  return folder


def _prepare(photos):
  return prepare(f"folder:{photos}", photos.parent / "prepared", image_size=32, augment=False, workers=0)


def test_prepared_pictures_keep_their_names(photos):
  assert _prepare(photos)[:4] == (len(ODD_NAMES), 1, 1, 1)
  assert _prepare(photos).made == 0  # the names in the tables are those of the folder
  for spec in (f"folder:{photos}", f"prepared:{photos.parent}/prepared"):
    ((source, _),) = parse_sources(spec)
    names = [source.short_name(i) for i in range(len(source))]
    assert sorted(names) == sorted(ODD_NAMES)
    assert [source.name(i) for i in range(len(source))] == [f"{photos}/{name}" for name in names]
    levels = {name: int(source.load(i, 32)[0, 0, 0]) for i, name in enumerate(names) if name != ODD_NAMES[-1]}
    assert levels == {name: level for level, name in enumerate(ODD_NAMES[:-1])}


@pytest.mark.parametrize("damage", [b"", b"\0" * 4096, b"name,original\n", b'"'])
def test_a_spoilt_table_is_made_again(photos, damage):
  _prepare(photos)
  table = photos.parent / "prepared" / "shard-00000.csv"
  whole = table.read_bytes()
  table.write_bytes(damage)
  assert _prepare(photos).made == 1
  assert table.read_bytes() == whole
  rows = list(read_table(table))
  table.write_bytes(whole.replace(b",0,", b",x,"))  # a record's number, among others
  assert _prepare(photos).made == 1
  assert list(read_table(table)) == rows
