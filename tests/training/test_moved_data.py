"""Runs whose pictures were moved, renamed or exchanged."""

import os
import shutil

import jax
import numpy as np
import pytest
from PIL import Image

import jaxdistort
from jaxdistort.data import DeadLeaves, SamplePhotographs, open_pictures
from jaxdistort.errors import InputError
from jaxdistort.evaluation.evaluate import pictures_to_judge
from jaxdistort.inference import load
from jaxdistort.runtime.mesh import create_mesh, replicated
from jaxdistort.training import train
from tests.data.heard import Heard
from tests.training.tiny import get_config

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("undrawn")]


def _load(run):
  return jaxdistort.load(run, sharding=replicated(create_mesh()))


def _config(folder, steps):
  config = get_config()
  config.data.source, config.model.name, config.steps = f"folder:{folder}", "softmax", steps
  return config


def test_pictures_of_the_training_are_known_by_any_name(tmp_path, folder_of_photographs):
  config = get_config()
  config.data.source, config.model.name, config.steps = f"folder:{folder_of_photographs}", "softmax", 1
  train(config, tmp_path / "run")
  recogniser = _load(tmp_path / "run")
  test = open_pictures(f"folder:{folder_of_photographs}", "test")
  moved = tmp_path / "elsewhere" / "PHOTOS"
  moved.parent.mkdir()
  os.rename(folder_of_photographs, moved)
  for number, path in enumerate(sorted(moved.glob("*.png"))):
    path.rename(path.with_name(f"{number}.PNG"))
  new = Image.fromarray(np.full((40, 40, 3), 7, np.uint8))
  new.save(moved.parent / "new.png")
  for source, split, count in (
    (f"folder:{moved}/", "test", len(test)),
    (f"folder:{moved.parent}", "unseen", len(test) + 1),
    (f"folder:{moved}+synthetic", "unseen", len(test) + len(DeadLeaves())),
    ("samples", "all", len(SamplePhotographs())),
  ):
    found, pictures = pictures_to_judge(source, "auto", [recogniser])
    assert (found, len(pictures)) == (split, count)
    assert set(pictures.names_of_originals()) >= set(test.names_of_originals()) or split == "all"
  trained = open_pictures(f"folder:{moved}", "train").name(0)
  (tmp_path / "one").mkdir()
  shutil.copy(trained, tmp_path / "one" / "copy.png")
  with pytest.raises(InputError, match="all 1 pictures served the training; give others"):
    pictures_to_judge(f"folder:{tmp_path / 'one'}", "auto", [recogniser])


class _Stopped(Heard):
  """Asks to stop after a step."""

  def stop_asked(self):
    return True


def test_a_run_whose_pictures_moved_goes_on_to_the_same_end(tmp_path, folder_of_photographs):
  moved = tmp_path / "moved"
  train(_config(folder_of_photographs, 2), tmp_path / "straight")
  assert train(_config(folder_of_photographs, 2), tmp_path / "run", progress=_Stopped()) is None
  os.rename(folder_of_photographs, moved)
  os.rename(moved / "photo_07.png", moved / "more" / "other name.png")
  heard = Heard()
  assert train(_config(moved, 2), tmp_path / "run", progress=heard)
  assert not any("changed" in line for line in heard.lines)
  ends = [_load(tmp_path / run).variables.parameters for run in ("run", "straight")]
  jax.tree.map(np.testing.assert_array_equal, *ends)


def test_other_pictures_under_the_same_names_are_told_and_remembered(tmp_path, folder_of_photographs):
  assert train(_config(folder_of_photographs, 3), tmp_path / "run", progress=_Stopped()) is None
  before = open_pictures(f"folder:{folder_of_photographs}", "train")
  shutil.copytree(folder_of_photographs, tmp_path / "before")
  path = before.name(next(n for n in range(len(before)) if before.name(n).endswith("photo_09.png")))
  Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)).save(path)
  heard = Heard()
  assert train(_config(folder_of_photographs, 3), tmp_path / "run", progress=heard)
  assert sum("the training pictures have changed since step 1" in line for line in heard.lines) == 1
  for folder in (folder_of_photographs, tmp_path / "before"):  # it has seen both
    seen = _load(tmp_path / "run").seen.holds(open_pictures(f"folder:{folder}", "train").names_of_originals())
    assert seen.all()
  for source, message in (("before", r"holds a run with data\.source"), ("nowhere", "folder:.*nowhere does not exist")):
    with pytest.raises(InputError, match=message):
      train(_config(tmp_path / source, 4), tmp_path / "run")


def test_what_sources_of_a_mix_share_is_not_tested_where_it_was_trained_on(tmp_path, folder_of_photographs):
  part = tmp_path / "part"
  part.mkdir()
  for path in sorted((tmp_path / "photos").glob("photo*.png"))[-5:]:  # none of them is tested in the whole
    shutil.copy(path, part)
  config = _config(folder_of_photographs, 1)
  config.data.source += f"+folder:{part}"
  reports = train(config, tmp_path / "run")
  assert reports
  assert [reports[split]["seen"] for split in ("validation", "test")] == [1, 0]


def test_a_model_file_knows_what_its_network_has_seen(tmp_path, folder_of_photographs):
  train(_config(folder_of_photographs, 1), tmp_path / "run")
  recogniser = _load(tmp_path / "run")
  again = load(recogniser.save(tmp_path / "model.safetensors"))
  np.testing.assert_array_equal(again.seen.hashes, recogniser.seen.hashes)
  assert len(again.seen) == 39  # all but the test picture
