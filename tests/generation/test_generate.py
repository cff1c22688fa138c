"""Distorted sets: the pictures that the device makes, in files that other programs read, whatever stops the making."""

import collections
import csv
import functools
import hashlib
import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from PIL import Image

from jaxdistort.data import open_pictures, parse_sources
from jaxdistort.distortions import DISTORTIONS
from jaxdistort.generation import generate
from jaxdistort.protocols import PROTOCOLS, Kind, Protocol, Stage
from jaxdistort.runtime.mesh import create_mesh

pytestmark = pytest.mark.optimised

_SIZE = 32


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
  monkeypatch.setattr(_module(), "_ORIGINALS_A_PART", 16)


def _module():
  return sys.modules["jaxdistort.generation.generate"]


def _generate(folder, output, **options: Any):
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
  said = json.loads((output / "dataset.json").read_text())
  clean = open_pictures(said["data"], said["split"]).load(t // said["period"], said["image_size"])
  pictures, slot = np.repeat(clean[None], said["period"], axis=0), t % said["period"]
  samples = _jitted(said["protocol"]["name"], said["jpeg_quality"])(
    jax.random.key(said["seed"]), pictures, first=t - slot
  )
  return jax.tree.map(lambda values: values[slot], samples)


@functools.cache
def _jitted(name, jpeg_quality):
  return jax.jit(PROTOCOLS[name](jpeg_quality or None).distort)


def _assert_row(row, samples, protocol):
  """A row of the manifest says what was done to its picture."""
  present = np.flatnonzero(samples.presence)
  assert row["kinds"] == (";".join(protocol.kinds[k] for k in present) or "clean")
  severity = [float(severity) for severity in row["severity"].split(";") if severity]
  np.testing.assert_array_equal(np.array(severity, np.float32), samples.severity[present])
  for spec, level in zip(protocol.level_specs, samples.levels, strict=True):
    np.testing.assert_equal(np.float32(row[str(spec)] or "nan"), np.asarray(level))


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
  assert done == (9 * 21, 1, 9 * 21, 0)
  return place


@pytest.mark.long
def test_files_hold_what_the_device_made(distorted):
  output, rows = distorted / "set", _manifest(distorted / "set")
  assert {row["seed"] for row in rows} == {"0"}
  assert len({row["file"].lower() for row in rows}) == 189
  assert len(list(output.rglob("*.jpg"))) == 189
  assert sorted(path.name for path in output.iterdir()) == [
    *(".jaxdistort", "broken_pictures.jsonl", "dataset.json", "manifest.csv", "test", "train", "validation")
  ]
  for row in rows[::5]:
    samples = _picture_again(output, int(row["t"]))
    with Image.open(output / row["file"]) as picture:
      assert picture.layer[0][1:3] == (2, 2)  # 4:2:0
      np.testing.assert_array_equal(np.asarray(picture), samples.images)
    _assert_row(row, samples, PROTOCOLS["variable"]())
    assert int(row["label"]) == ("clean", "gaussian_blur", "gaussian_noise").index(row["kinds"])
    assert row["file"].startswith(f"{row['split']}/{row['kinds']}/")
  shares = collections.Counter(row["kinds"] for row in rows)
  assert shares == {"clean": 21, "gaussian_blur": 84, "gaussian_noise": 84}


@pytest.mark.long
def test_splits_are_those_of_the_originals(distorted):
  rows = _manifest(distorted / "set")
  for split in ("train", "validation", "test"):
    pictures = open_pictures(f"folder:{distorted}/photos", split)
    names = {pictures.name(i).removeprefix(f"{distorted}/photos/") for i in range(len(pictures))} - {"broken.jpg"}
    assert {row["original"] for row in rows if row["split"] == split} == names


@pytest.mark.long
def test_the_same_bytes_from_any_number_of_workers_and_devices(distorted, tmp_path, monkeypatch):
  monkeypatch.setattr(_module(), "create_mesh", lambda: _first_device(create_mesh()))
  _generate(distorted / "photos", tmp_path / "other", workers=1)
  ours, theirs = _digests(tmp_path / "other"), _digests(distorted / "set")
  assert ours == theirs


def _first_device(mesh):
  shape = (1,) * mesh.devices.ndim
  types = (jax.sharding.AxisType.Auto,) * mesh.devices.ndim
  return jax.sharding.Mesh(mesh.devices.reshape(-1)[:1].reshape(shape), mesh.axis_names, axis_types=types)


@pytest.mark.long
def test_png_keeps_every_level(distorted, tmp_path):
  """Encoded as JPEG they are the files of the other set."""
  assert _generate(distorted / "photos", tmp_path / "set", jpeg_quality=0).pictures == 189
  for row in _manifest(tmp_path / "set"):
    content = io.BytesIO()
    with Image.open(tmp_path / "set" / row["file"]) as picture:
      picture.save(content, "JPEG", quality=75, subsampling=2)
    assert (distorted / "set" / row["file"]).with_suffix(".jpg").read_bytes() == content.getvalue()


@pytest.mark.long
def test_a_split_and_a_seed_of_its_own(distorted, tmp_path):
  done = _generate(distorted / "photos", tmp_path / "set", split="test", seed=7)
  rows = _manifest(tmp_path / "set")
  assert done.pictures == len(rows) == 9
  assert {(row["split"], row["seed"]) for row in rows} == {("test", "7")}
  for row in rows:
    with Image.open(tmp_path / "set" / row["file"]) as picture:
      np.testing.assert_array_equal(np.asarray(picture), _picture_again(tmp_path / "set", int(row["t"])).images)


@pytest.mark.long
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
    assert done == (189, 1, (189, 54, 0)[moment], 0)
    assert _generate(distorted / "photos", output, form=form) == (189, 1, 0, 0)
  digests = [_digests(tmp_path / f"killed_{moment}") for moment in (0, 1, 2)]
  assert digests[0] == digests[1] == digests[2]
  if form == "jpeg":
    assert digests[0] == _digests(distorted / "set")


@pytest.mark.long
def test_records_are_read_by_tfds_and_by_us(distorted, tmp_path, monkeypatch):
  tfds = pytest.importorskip("tensorflow_datasets")
  done = _generate(distorted / "photos", tmp_path / "set", form="arrayrecord")
  assert done == (189, 1, 189, 0)
  assert sorted(path.name for path in (tmp_path / "set").iterdir()) == [
    *(".jaxdistort", "broken_pictures.jsonl", "dataset.json", "distorted_variable", "manifest.csv")
  ]
  rows = {int(row["t"]): row for row in _manifest(distorted / "set")}
  assert "file" not in _manifest(tmp_path / "set")[0]
  builder: Any = tfds.builder_from_directory(tmp_path / "set" / "distorted_variable" / "1.0.0")
  assert builder.info.features["label"].names == ["clean", "gaussian_blur", "gaussian_noise"]
  count = 0
  for split in ("train", "validation", "test"):
    for record in builder.as_data_source(split=split):
      row = rows[record["t"]]
      with Image.open(distorted / "set" / row["file"]) as picture:
        np.testing.assert_array_equal(record["image"], np.asarray(picture))
      assert (split, str(record["label"]), record["original"].decode()) == (row["split"], row["label"], row["original"])
      for name, level in record["levels"].items():
        np.testing.assert_equal(level, np.float32(row[name] or "nan"))
      severities = [value for value in record["severity"].values() if not np.isnan(value)]
      assert severities == [np.float32(value) for value in row["severity"].split(";") if value]
      count += 1
  assert count == 189
  monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "set"))
  source = parse_sources("tfds:distorted_variable:test")[0].source
  assert len(source) == builder.info.splits["test"].num_examples
  assert source.load(0, _SIZE).shape == (_SIZE, _SIZE, 3)
  assert "tensorflow" not in sys.modules


@pytest.mark.long
def test_of_prepared_pictures_and_of_mixes(distorted, tmp_path):
  from jaxdistort.data.preparing import prepare

  prepare(f"folder:{distorted}/photos", tmp_path / "prepared", image_size=_SIZE, augment=False, workers=0)
  options: dict[str, Any] = {"protocol": "variable", "image_size": _SIZE, "workers": 0}
  generate(f"prepared:{tmp_path}/prepared", tmp_path / "set", **options)
  ours, theirs = _digests(tmp_path / "set"), _digests(distorted / "set")
  del ours["dataset.json"], theirs["dataset.json"]
  assert ours == theirs
  mix = f"folder:{distorted}/photos+prepared:{tmp_path}/prepared"
  assert generate(mix, tmp_path / "mix", **options) == (2 * 189, 1, 2 * 189, 0)  # the broken picture has one name


@pytest.fixture
def pairs():
  """A protocol of two stages, as long as it is needed."""
  stages = tuple(Stage((Kind(name),), untouched=1, shuffled=True) for name in ("twirl", "ripple"))
  PROTOCOLS.register("warps", lambda jpeg_quality=75: Protocol("warps", stages, jpeg_quality))
  yield
  PROTOCOLS.unregister("warps")


_apply = functools.cache(lambda kind: jax.jit(DISTORTIONS[kind]))


@pytest.mark.long
def test_pictures_of_several_kinds_have_all_of_them_in_their_rows(pairs, distorted, tmp_path):
  done = _generate(distorted / "photos", tmp_path / "set", protocol="warps", jpeg_quality=0)
  rows, clean = _manifest(tmp_path / "set"), open_pictures(f"folder:{distorted}/photos", "all")
  assert done.pictures == len(rows) == 2 * 21
  assert {row["kinds"] for row in rows} == {"clean", "twirl", "ripple", "twirl;ripple"}
  assert "label" not in rows[0]
  for row in rows:
    kinds = row["kinds"].split(";")
    assert row["file"].split("/")[1] == "+".join(kinds)
    assert len(row["severity"].split(";")) == len(kinds)
    image = jax.numpy.asarray(clean.load(int(row["t"]) // 2, _SIZE))
    for kind in kinds if kinds != ["clean"] else []:
      levels = {name: np.float32(row[f"{kind}.{name}"]) for name in (p.name for p in DISTORTIONS[kind].parameters)}
      image = _apply(kind)(jax.random.key(0), image, **levels)
    with Image.open(tmp_path / "set" / row["file"]) as picture:
      np.testing.assert_array_equal(np.asarray(picture), image)


@pytest.mark.long
def test_records_of_several_kinds(pairs, distorted, tmp_path):
  tfds = pytest.importorskip("tensorflow_datasets")
  _generate(distorted / "photos", tmp_path / "set", protocol="warps", jpeg_quality=0, form="arrayrecord")
  builder: Any = tfds.builder_from_directory(tmp_path / "set" / "distorted_warps" / "1.0.0")
  kinds = {int(row["t"]): row["kinds"] for row in _manifest(tmp_path / "set")}
  for record in builder.as_data_source(split="train"):
    present = {kind for kind, severity in record["severity"].items() if not np.isnan(severity)}
    assert (present or {"clean"}) == set(kinds[record["t"]].split(";"))
    assert "label" not in record
