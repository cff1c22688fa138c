"""Distorted sets: the pictures that the device makes, in files that other programs read, whatever stops the making."""

import csv
import functools
import hashlib
import json
import shutil
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image

from jaxdistort.data import open_pictures, parse_sources
from jaxdistort.errors import InputError
from jaxdistort.generation import generate
from jaxdistort.protocols import PROTOCOLS
from jaxdistort.runtime.mesh import create_mesh

_SIZE = 32


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
  monkeypatch.setattr(_module(), "_ORIGINALS_A_PART", 16)


def _module():
  return sys.modules["jaxdistort.generation.generate"]


def _generate(folder, output, **options):
  options = {"protocol": "variable", "image_size": _SIZE, "workers": 0} | options
  return generate(f"folder:{folder}", Path(output), **options)


def _manifest(output):
  with (output / "manifest.csv").open(newline="") as file:
    return list(csv.DictReader(file))


def _digests(output):
  files = sorted(path for path in output.rglob("*") if path.is_file())
  return {str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _picture_again(output, t):
  """As dataset.json says."""
  told = json.loads((output / "dataset.json").read_text())
  clean = open_pictures(told["data"], told["split"]).load(t // told["period"], told["image_size"])
  pictures, slot = np.repeat(clean[None], told["period"], axis=0), t % told["period"]
  samples = _jitted(told["name"], told["jpeg_quality"])(jax.random.key(told["seed"]), pictures, first=t - slot)
  return jax.tree.map(lambda values: values[slot], samples)


@functools.cache
def _jitted(name, jpeg_quality):
  return jax.jit(PROTOCOLS[name](jpeg_quality or None).distort)


@pytest.fixture(scope="module")
def distorted(tmp_path_factory):
  """A set of `variable` in JPEG files, of a folder that stays."""
  place = tmp_path_factory.mktemp("set")
  samples = parse_sources("samples")[0].source
  (place / "photos" / "more").mkdir(parents=True)
  for i in range(20):
    Image.fromarray(samples.load(i * 41, 48)).save(place / "photos" / f"photo {i:02d}, ä.png")
  shutil.copy(place / "photos" / "photo 03, ä.png", place / "photos" / "more" / "photo 03, ä.png")
  (place / "photos" / "broken.jpg").write_bytes(b"no picture")
  done = _generate(place / "photos", place / "set")
  assert done == (9 * 21, 1, 9 * 21)
  return place


@pytest.mark.slow
def test_files_hold_what_the_device_made(distorted):
  output, rows = distorted / "set", _manifest(distorted / "set")
  assert {row["seed"] for row in rows} == {"0"}
  assert len({row["file"].lower() for row in rows}) == 189
  assert len(list(output.rglob("*.jpg"))) == 189
  assert sorted(path.name for path in output.iterdir()) == [
    *("broken_pictures.jsonl", "dataset.json", "manifest.csv", "test", "train", "validation")
  ]
  for row in rows[::5]:
    samples = _picture_again(output, int(row["t"]))
    with Image.open(output / row["file"]) as picture:
      assert picture.layer[0][1:3] == (2, 2)  # 4:2:0
      np.testing.assert_array_equal(np.asarray(picture), samples.images)
    for name, level in samples.parameters.items():
      np.testing.assert_equal(np.float32(row[name] or "nan"), np.asarray(level))
    assert int(row["label"]) == samples.labels
    assert row["file"].startswith(f"{row['split']}/{row['class']}/")


@pytest.mark.slow
def test_splits_are_those_of_the_originals(distorted):
  rows = _manifest(distorted / "set")
  for split in ("train", "validation", "test"):
    pictures = open_pictures(f"folder:{distorted}/photos", split)
    names = {pictures.name(i).removeprefix(f"{distorted}/photos/") for i in range(len(pictures))} - {"broken.jpg"}
    assert {row["original"] for row in rows if row["split"] == split} == names


@pytest.mark.slow
def test_the_same_bytes_from_any_number_of_workers_and_devices(distorted, tmp_path, monkeypatch):
  monkeypatch.setattr(_module(), "create_mesh", lambda: _first_device(create_mesh()))
  _generate(distorted / "photos", tmp_path / "other", workers=1)
  ours, theirs = _digests(tmp_path / "other"), _digests(distorted / "set")
  assert ours == theirs


def _first_device(mesh):
  shape = (1,) * mesh.devices.ndim
  types = (jax.sharding.AxisType.Auto,) * mesh.devices.ndim
  return jax.sharding.Mesh(mesh.devices.reshape(-1)[:1].reshape(shape), mesh.axis_names, axis_types=types)


@pytest.mark.slow
def test_png_keeps_every_level(distorted, tmp_path):
  done = _generate(distorted / "photos", tmp_path / "set", jpeg_quality=0, split="test", protocol="six", seed=7)
  assert done.pictures % 7 == 0
  for row in _manifest(tmp_path / "set"):
    assert row["split"] == "test"
    with Image.open(tmp_path / "set" / row["file"]) as picture:
      np.testing.assert_array_equal(np.asarray(picture), _picture_again(tmp_path / "set", int(row["t"])).images)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["jpeg", "arrayrecord"])
def test_killed_at_any_part_it_goes_on_there(form, distorted, tmp_path, monkeypatch):
  if form == "arrayrecord":
    pytest.importorskip("tensorflow_datasets")
  module, write_table = _module(), _module().write_table
  for moment in (0, 1, 2):  # before the tables of either part, and before the manifest
    made = []

    def die(path, rows, moment=moment, made=made):
      if len(made) == moment:
        raise KeyboardInterrupt
      made.append(path)
      write_table(path, rows)

    monkeypatch.setattr(module, "write_table", die)
    output = tmp_path / f"killed_{moment}"
    with pytest.raises(KeyboardInterrupt):
      _generate(distorted / "photos", output, form=form)
    assert not (output / "manifest.csv").exists()
    monkeypatch.setattr(module, "write_table", write_table)
    done = _generate(distorted / "photos", output, form=form)
    assert done == (189, 1, (189, 54, 0)[moment])
    assert _generate(distorted / "photos", output, form=form) == (189, 1, 0)
  digests = [_digests(tmp_path / f"killed_{moment}") for moment in (0, 1, 2)]
  assert digests[0] == digests[1] == digests[2]
  if form == "jpeg":
    assert digests[0] == _digests(distorted / "set")


@pytest.mark.slow
def test_records_are_read_by_tfds_and_by_us(distorted, tmp_path, monkeypatch):
  tfds = pytest.importorskip("tensorflow_datasets")
  done = _generate(distorted / "photos", tmp_path / "set", form="arrayrecord")
  assert done == (189, 1, 189)
  assert sorted(path.name for path in (tmp_path / "set").iterdir()) == [
    *("broken_pictures.jsonl", "dataset.json", "distorted_variable", "manifest.csv")
  ]
  rows = {int(row["t"]): row for row in _manifest(distorted / "set")}
  assert "file" not in _manifest(tmp_path / "set")[0]
  builder = tfds.builder_from_directory(tmp_path / "set" / "distorted_variable" / "1.0.0")
  assert builder.info.features["label"].names == ["reference", "gaussian_blur", "gaussian_noise"]
  count = 0
  for split in ("train", "validation", "test"):
    for record in builder.as_data_source(split=split):
      row = rows[record["t"]]
      with Image.open(distorted / "set" / row["file"]) as picture:
        np.testing.assert_array_equal(record["image"], np.asarray(picture))
      assert (split, str(record["label"]), record["original"].decode()) == (row["split"], row["label"], row["original"])
      for name, level in record["parameters"].items():
        np.testing.assert_equal(level, np.float32(row[name] or "nan"))
      count += 1
  assert count == 189
  monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "set"))
  source = parse_sources("tfds:distorted_variable:test")[0].source
  assert len(source) == builder.info.splits["test"].num_examples
  assert source.load(0, _SIZE).shape == (_SIZE, _SIZE, 3)
  assert "tensorflow" not in sys.modules


@pytest.mark.slow
def test_of_prepared_pictures_and_of_mixes(distorted, tmp_path):
  from jaxdistort.data.preparing import prepare

  prepare(f"folder:{distorted}/photos", tmp_path / "prepared", image_size=_SIZE, augment=False, workers=0)
  options = {"protocol": "variable", "image_size": _SIZE, "workers": 0}
  generate(f"prepared:{tmp_path}/prepared", tmp_path / "set", **options)
  ours, theirs = _digests(tmp_path / "set"), _digests(distorted / "set")
  del ours["dataset.json"], theirs["dataset.json"]
  assert ours == theirs
  mix = f"folder:{distorted}/photos+prepared:{tmp_path}/prepared"
  assert generate(mix, tmp_path / "mix", **options) == (2 * 189, 1, 2 * 189)  # the broken picture has one name


@pytest.mark.parametrize(
  ("options", "message"),
  [
    ({"protocol": "sixx"}, "protocol: 'sixx' is not one of six, variable; did you mean 'six'"),
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


@pytest.mark.slow
def test_a_folder_keeps_to_its_set(distorted, tmp_path):
  photos, output = tmp_path / "photos", tmp_path / "set"
  shutil.copytree(distorted / "photos", photos)
  shutil.copytree(distorted / "set", output)
  (photos / "more" / "photo 03, ä.png").unlink()
  with pytest.raises(InputError, match="holds a set of other pictures, or they have changed since; give another"):
    _generate(photos, output)
  with pytest.raises(InputError, match=r"holds a set with seed=0 \(now 3\); give another"):
    _generate(distorted / "photos", output, seed=3)
  with pytest.raises(InputError, match="is no empty folder, and no distorted set; give another"):
    _generate(distorted / "photos", photos)
  (output / "dataset.json").write_text("{")
  with pytest.raises(InputError, match=r"dataset.json: cannot be read .*; give another output"):
    _generate(distorted / "photos", output)
