"""Distorted sets that cannot be made, or not there: one line each, and nothing written."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from jaxdistort.data import SamplePhotographs
from jaxdistort.errors import InputError
from jaxdistort.generation import generate

_SIZE = 32


def _generate(folder, output, **options):
  options = {"protocol": "variable", "image_size": _SIZE, "workers": 0} | options
  return generate(f"folder:{folder}", Path(output), **options)


@pytest.fixture(scope="module")
def distorted(tmp_path_factory):
  """A small set, of a folder that stays."""
  place, samples = tmp_path_factory.mktemp("set"), SamplePhotographs()
  (place / "photos").mkdir()
  for i in range(4):
    Image.fromarray(samples.load(i * 41, 48)).save(place / "photos" / f"{i}.png")
  _generate(place / "photos", place / "set")
  return place


@pytest.mark.parametrize(
  ("options", "message"),
  [
    (
      {"protocol": "sixx"},
      "protocol: 'sixx' is not one of six, variable, ",
    ),
    ({"form": "jpg"}, "form: 'jpg' is not one of jpeg, arrayrecord"),
    ({"jpeg_quality": 101}, r"jpeg_quality must be within 0\.\.100, got 101"),
    ({"seed": -1}, r"seed must be within 0\.\.2147483647, got -1"),
    ({"split": "tset"}, "split: 'tset' is not one of .*; did you mean 'test'"),
  ],
)
def test_wrong_words_are_named(options, message, folder_of_photographs, tmp_path):
  with pytest.raises(InputError, match=message):
    _generate(folder_of_photographs, tmp_path / "set", **options)
  assert not (tmp_path / "set").exists()


@pytest.mark.long
def test_a_folder_keeps_to_its_set(distorted, tmp_path):
  photos, output = tmp_path / "photos", tmp_path / "set"
  shutil.copytree(distorted / "photos", photos)
  shutil.copytree(distorted / "set", output)
  (photos / "3.png").unlink()
  with pytest.raises(InputError, match="holds a set of other pictures, or they have changed since; give another"):
    _generate(photos, output)
  with pytest.raises(InputError, match=r"holds a set with seed=0 \(now 3\); give another"):
    _generate(distorted / "photos", output, seed=3)
  with pytest.raises(InputError, match=r"holds a set with protocol=variable \(now six\); give another"):
    _generate(distorted / "photos", output, protocol="six")
  with pytest.raises(InputError, match="is no empty folder, and no distorted set; give another"):
    _generate(distorted / "photos", photos)
  (output / "dataset.json").write_text("{")
  with pytest.raises(InputError, match=r"dataset.json: cannot be read .*; give another output"):
    _generate(distorted / "photos", output)
