"""Remarks on pictures that were used nevertheless: from the file to the list, through every way of reading."""

import json

import jax
import numpy as np
import pytest
from PIL import Image

from jaxdistort.data import (
  BrokenPictures,
  LoadPictures,
  Prepared,
  evaluation_batches,
  load_resident,
  open_database,
  open_pictures,
  viewed_pictures,
)
from jaxdistort.data.preparing import prepare
from jaxdistort.runtime.mesh import create_mesh
from tests.data import miniatures

_REMARK = "the colour profile cannot be used"


@pytest.fixture
def pictures(photographs, tmp_path):
  """Six pictures, of which the second is broken and the fourth has a profile that cannot be used."""
  (tmp_path / "in").mkdir()
  for number, levels in enumerate(photographs[:6]):
    Image.fromarray(levels).save(tmp_path / "in" / f"{number}.png", icc_profile=b"none" if number == 3 else None)
  (tmp_path / "in" / "1.png").write_bytes(b"")
  return open_pictures(f"folder:{tmp_path / 'in'}", "all")


def _number(pictures, name):
  return next(number for number in range(len(pictures)) if pictures.short_name(number) == name)


@pytest.mark.parametrize("replace", [False, True])
def test_pictures_with_remarks_are_used_and_marked(pictures, replace):
  broken, remarked, fine = (_number(pictures, f"{name}.png") for name in (1, 3, 2))
  loaded = LoadPictures(pictures, 16, replace)(np.array([remarked, broken, -1, fine]))
  assert loaded.remarked.tolist() == [remarked, -1, -1, -1]
  assert loaded.broken.tolist() == [-1, broken, -1, -1]
  np.testing.assert_array_equal(loaded.images[3], pictures.load(fine, 16))
  assert loaded.images[0].any()


def test_remarks_reach_the_list(pictures, tmp_path):
  mesh = create_mesh(devices=jax.devices()[:1])
  listed = BrokenPictures(tmp_path / "broken.jsonl", 16)
  with evaluation_batches(pictures, size=16, batch_size=4, mesh=mesh, workers=0) as batches:
    for batch in batches:
      listed.add(pictures, *batch.to_list)
      listed.add(pictures, *batch.to_list)
  rows = sorted((json.loads(row) for row in listed.path.read_text().splitlines()), key=lambda row: row["picture"])
  assert [(row["picture"][-5:], row["used"]) for row in rows] == [("1.png", False), ("3.png", True)]
  assert rows[0]["reason"] == "empty file"
  assert rows[1]["reason"].startswith(_REMARK)
  for read_again in (listed, BrokenPictures(listed.path, 16)):
    assert (len(read_again), read_again.remarked) == (1, 1)
  resident = load_resident(pictures, 16, mesh, workers=0)
  assert (resident.broken.tolist(), resident.remarked.tolist()) == (
    [_number(pictures, "1.png")],
    [_number(pictures, "3.png")],
  )


def test_remarks_on_pictures_that_are_prepared(pictures, tmp_path):
  done = prepare(pictures.spec, tmp_path / "out", image_size=16, workers=0)
  assert (done.pictures, done.broken, done.remarked) == (6, 1, 1)
  assert _REMARK in "".join(path.read_text() for path in (tmp_path / "out").glob("*.csv"))
  again = prepare(pictures.spec, tmp_path / "out", image_size=16, workers=0)
  assert (again.made, again.remarked) == (0, 1)
  assert Prepared(str(tmp_path / "out")).load(_number(pictures, "3.png"), 16).any()


def test_remarks_on_pictures_of_a_database(tmp_path):
  database = open_database(f"live:{miniatures.build_live(tmp_path)}")
  path = database.pictures[4].path
  with Image.open(path) as picture:
    picture.save(path, "PNG", icc_profile=b"none")
  with viewed_pictures(database, ["center"], size=16, workers=0) as viewed:
    remarks = [picture.remarks for picture in viewed]
  assert [number for number, text in enumerate(remarks) if text] == [4]
  assert remarks[4].startswith(_REMARK)
