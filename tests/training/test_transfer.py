"""Transfer runs: the base is neither trained nor saved, and must be the same when a run is taken up again."""

import shutil

import jax
import numpy as np
import pytest
from PIL import Image

import jaxdistort
from jaxdistort.config import ModelConfig
from jaxdistort.data import SamplePhotographs
from jaxdistort.errors import InputError
from jaxdistort.evaluation import evaluate_on_protocol
from jaxdistort.models.weights import BackboneReference
from jaxdistort.progress import Progress
from jaxdistort.runtime.mesh import create_mesh, replicated
from jaxdistort.training import parts, train
from jaxdistort.training.checkpoints import Checkpoints
from tests.models.weights import our_files
from tests.training.tiny import get_config, save_untrained

pytestmark = pytest.mark.long  # a file of VGG16 and its network


@pytest.fixture(autouse=True)
def on_one_device(monkeypatch):
  """What eight of them learn, other runs show; of VGG16 they would keep and add up eight copies."""
  monkeypatch.setattr(parts, "create_mesh", lambda fsdp: create_mesh(devices=jax.devices()[:1]))


def _config(weights, **model):
  config = get_config()
  config.model = ModelConfig(name="vgg_transfer", weights=str(weights), **model)
  return config


def _load(run, weights=None):
  return jaxdistort.load(run, sharding=replicated(create_mesh()), weights=weights)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
  """A checkpoint on a file of weights: its run, the file, the state and the frozen variables."""
  folder = tmp_path_factory.mktemp("transfer")
  file = our_files.write(folder / "vgg16.safetensors", "vgg16")
  return folder / "run", file, *save_untrained(_config(file.path), folder / "run")


def test_the_head_is_saved_alone(saved):
  run, _, state, frozen = saved
  assert "backbone" not in state.parameters
  trained, running = (sum(leaf.size for leaf in jax.tree.leaves(part)) for part in (state.parameters, state.optimizer))
  assert trained <= running <= trained + 2  # RMSProp's second moments and its counter: of the head alone
  assert not [
    path for path in (run / "checkpoints").rglob("*") if "backbone" in path.name and path.parent.name == "state"
  ]
  size = sum(path.stat().st_size for path in (run / "checkpoints").rglob("*") if path.is_file())
  assert size < 1.2 * sum(leaf.nbytes for leaf in jax.tree.leaves(state))
  model = _load(run)
  assert model.description.network.input_scaling == "keras"  # the file's, by "auto"
  jax.tree.map(np.testing.assert_array_equal, model.variables.parameters, state.parameters)
  jax.tree.map(np.testing.assert_array_equal, model.variables.frozen, frozen)


@pytest.mark.long
def test_other_base_weights_are_refused(saved, tmp_path):
  run, file, state, _ = saved
  other = our_files.write(tmp_path / "vgg16.safetensors", "vgg16", seed=1)
  refusal = rf"was trained on backbone weights vgg16.safetensors \(SHA-256 {file.sha256[:16]}\), not on"
  for weights in (str(other.path), "random"):
    with pytest.raises(InputError, match=refusal):
      _load(run, weights)
  for given in (BackboneReference("vgg16.safetensors", other.sha256), BackboneReference("random"), BackboneReference()):
    with Checkpoints(run, _load(run).description, given) as checkpoints, pytest.raises(InputError, match=refusal):
      checkpoints.restore(1, state)


@pytest.mark.long
def test_weights_that_have_moved_are_asked_for(saved, tmp_path):
  run, file, _, frozen = saved
  moved = file.path.rename(tmp_path / "moved.safetensors")
  try:
    with pytest.raises(InputError, match=r"vgg16.safetensors: no such file; vgg_transfer needs weights"):
      _load(run)
    jax.tree.map(np.testing.assert_array_equal, _load(run, str(moved)).variables.frozen, frozen)
  finally:
    shutil.move(moved, file.path)


@pytest.mark.long
def test_random_weights_are_drawn_again_from_the_seed(tmp_path):
  config = _config("random", dropout=0.2, head_convolutions=2)
  config.seed = 5
  _, frozen = save_untrained(config, tmp_path)
  jax.tree.map(np.testing.assert_array_equal, _load(tmp_path).variables.frozen, frozen)


@pytest.mark.long
def test_fine_tuning_needs_the_file_no_more(saved, tmp_path):
  _, _, _, frozen = saved
  file = our_files.write(tmp_path / "vgg16.safetensors", "vgg16", preprocessing="torchvision")
  save_untrained(_config(file.path, fine_tune=True), tmp_path / "run")
  file.path.unlink()
  model = _load(tmp_path / "run")
  assert model.description.network.input_scaling == "torchvision"
  assert model.variables.frozen == {}
  with pytest.raises(InputError, match=r"weights .*: checkpoint .* holds all weights of its network"):
    _load(tmp_path / "run", "weights/vgg16.safetensors")
  jax.tree.map(np.testing.assert_array_equal, model.variables.parameters["backbone"], frozen["backbone"])


class _Listener(Progress):
  def __init__(self):
    self.said = []

  def tell(self, text):
    self.said.append(text)


@pytest.mark.long
@pytest.mark.usefixtures("undrawn")
def test_a_transfer_run_is_trained_resumed_and_evaluated_like_any_other(saved, tmp_path):
  _, file, _, _ = saved
  (tmp_path / "photos").mkdir()
  for i in range(24):
    Image.fromarray(SamplePhotographs().load(i * 41, 32)).save(tmp_path / "photos" / f"{i}.png")
  config, listener = _config(file.path), _Listener()
  config.data.source, config.steps, config.evaluate_every = f"folder:{tmp_path}/photos", 2, 100
  train(config, tmp_path / "run", progress=listener)
  assert "on vgg16.safetensors weights: 4,473,347 trainable of 12,108,611 parameters" in listener.said[0]
  config.steps, config.model.weights = 3, str(shutil.copy(file.path, tmp_path / "moved.safetensors"))
  reports = train(config, tmp_path / "run", progress=listener)
  assert any("resuming at step 2" in line for line in listener.said)
  figures = evaluate_on_protocol(_load(tmp_path / "run"), config.data.source, workers=0).report.figures
  expected = reports["test"]["views"]["standard"]
  assert figures.confusion_matrix == expected["confusion_matrix"]
  assert figures.loss == pytest.approx(expected["loss"], rel=1e-4)
  other = our_files.write(tmp_path / "other.safetensors", "vgg16", seed=1)
  kept = (tmp_path / "run" / "config.json").read_text()
  config.model.weights = str(other.path)
  for config.steps in (3, 4):  # finished, and to be resumed
    with pytest.raises(InputError, match="was trained on backbone weights"):
      train(config, tmp_path / "run")
  assert (tmp_path / "run" / "config.json").read_text() == kept
