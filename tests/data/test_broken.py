"""Broken pictures: what stands in for them, the same everywhere, and their list."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest

from jaxdistort.data import (
  BrokenPicture,
  BrokenPictures,
  PictureSet,
  Source,
  load_resident,
  make_take,
  open_pictures,
  training_batches,
)
from jaxdistort.data.sources import WeightedSource
from jaxdistort.errors import NothingReadable
from jaxdistort.runtime.mesh import create_mesh
from tests.test_files import ODD_NAMES


class _Row(Source):
  """Pictures of one level each, of which a long row is broken."""

  def __init__(self, broken: int, whole: int):
    self.broken, self.whole, self.looks = broken, whole, []

  def __len__(self) -> int:
    return self.broken + self.whole

  def __repr__(self) -> str:
    return "row"

  def name(self, index: int) -> str:
    return f"row/{index}"

  def original(self, index: int) -> str:
    return self.name(index)

  def load(self, index: int, size: int) -> np.ndarray:
    self.looks.append(index)
    if index < self.broken:
      raise BrokenPicture("as it should be")
    return np.full((size, size, 3), index % 256, np.uint8)


def _set(*sources):
  return PictureSet("rows", tuple(WeightedSource(s, 1.0) for s in sources), tuple(np.arange(len(s)) for s in sources))


def test_a_long_row_of_broken_pictures_is_passed_by_with_few_looks():
  row = _Row(200, 20)
  pictures = _set(row)
  loaded = [pictures.load_or_other(number, 8) for number in range(200)]
  assert [broken for _, broken in loaded] == list(range(200))
  assert len(row.looks) <= 3 * 200  # each for itself, once for another, and what stands in for it
  assert {int(image[0, 0, 0]) for image, _ in loaded} == {number % 256 for number in range(200, 220)}
  for number in (0, 77, 199):  # for another process too, that has seen nothing yet
    np.testing.assert_array_equal(_set(row).load_or_other(number, 8)[0], loaded[number][0])


def test_the_only_picture_that_can_be_read_stands_in_for_all():
  pictures = _set(_Row(3, 4), _Row(3000, 1))
  image, broken = pictures.load_or_other(7, 8)
  assert (image[0, 0, 0], broken) == (3000 % 256, 7)


def test_a_source_without_a_readable_picture_is_named():
  with pytest.raises(NothingReadable, match=r"data source row: none of its 3 pictures .* \(row/1: as it should be\)"):
    _set(_Row(0, 4), _Row(3, 0)).load_or_other(5, 8)


@pytest.mark.long
@pytest.mark.parametrize("devices", [1, 8])
def test_what_stands_in_is_the_same_on_the_host_and_on_the_device(devices):
  """However many look it up: threads here; what each has seen before does not count."""
  row, mesh = _Row(130, 40), create_mesh(devices=jax.devices()[:devices])
  held = load_resident(_set(row), 8, mesh, workers=0)
  assert held.broken.tolist() == list(range(130))
  order, take = _set(row).order(5), jax.jit(make_take(mesh))
  with training_batches(_set(row), order, side=8, batch_size=64, mesh=mesh, workers=0) as batches:
    for _ in range(4):
      batch = next(batches)
      np.testing.assert_array_equal(take(held.images, batch.numbers.astype(np.int32)), batch.images)
      assert np.all(np.asarray(batch.images).any(axis=(1, 2, 3)))
      np.testing.assert_array_equal(batch.broken >= 0, batch.numbers < 130)


@pytest.mark.long  # processes
def test_workers_choose_the_same_as_threads(tmp_path, folder_of_photographs):
  for place in sorted(Path(folder_of_photographs).glob("photo_*"))[5:35]:
    place.write_bytes(b"")
  pictures = open_pictures(f"folder:{folder_of_photographs}", "train")
  options = {"side": 16, "batch_size": 16, "mesh": create_mesh(devices=jax.devices()[:1])}
  found = []
  for workers in (0, 2):
    with training_batches(pictures, pictures.order(1), workers=workers, **options) as batches:
      found.append([next(batches) for _ in range(3)])
  for ours, theirs in zip(*found, strict=True):
    np.testing.assert_array_equal(ours.images, theirs.images)
    np.testing.assert_array_equal(ours.broken, theirs.broken)


def test_odd_names_are_listed_as_they_are(tmp_path):
  folder = tmp_path / "photos"
  folder.mkdir()
  for name in ODD_NAMES[1:4]:
    (folder / name).touch()
  pictures = open_pictures(f"folder:{folder}", "all")
  path = tmp_path / "broken.jsonl"
  BrokenPictures(path, 32).add(pictures, np.arange(3), np.zeros(0, np.int64))
  assert {json.loads(row)["picture"] for row in path.read_text().splitlines()} == {
    str(folder / name) for name in ODD_NAMES[1:4]
  }
  assert len(BrokenPictures(path, 32)) == 3


@pytest.mark.parametrize("damage", [b"", b"\0" * 40, b"\0\0\n", b'[1]\n{"picture": 3}\n{"reason": "x"}\n', b'{"pict'])
def test_a_damaged_list_is_gone_on_with(tmp_path, damage):
  (tmp_path / "a.jpg").touch()
  pictures, path = open_pictures(f"folder:{tmp_path}", "all"), tmp_path / "broken.jsonl"
  path.write_bytes(damage)
  broken = BrokenPictures(path, 32)
  assert len(broken) == 0
  broken.add(pictures, np.zeros(1, np.int64), np.zeros(0, np.int64))
  assert [json.loads(row) for row in path.read_text().splitlines()] == [
    {"picture": str(tmp_path / "a.jpg"), "reason": "empty file", "used": False}
  ]
