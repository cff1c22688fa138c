"""Runs that begin with the weights of another recogniser."""

import dataclasses
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxdistort
from jaxdistort.config import ModelConfig, ProtocolConfig, TaskConfig
from jaxdistort.data import Seen
from jaxdistort.errors import InputError
from jaxdistort.models import Variables
from jaxdistort.progress import Progress
from jaxdistort.runtime.mesh import create_mesh, replicated
from jaxdistort.tasks import Calibration, Recognition
from jaxdistort.training import resuming, train
from jaxdistort.training.inheriting import check_frozen
from jaxdistort.training.parts import create_parts
from tests.training.tiny import get_config, save_untrained

pytestmark = pytest.mark.slow


def _config(**changes):
  config = get_config()
  config.model, config.seed = ModelConfig("compact", pool=True), 3
  for name, value in changes.items():
    setattr(config, name, value)
  return config


def _parts(config, workdir):
  return create_parts(config.resolved(config.open_backbone()), config.open_backbone(), workdir)


def _equal(ours, theirs):
  jax.tree.map(np.testing.assert_array_equal, ours, theirs)


def _without_output(parameters):
  return {name: layer for name, layer in parameters.items() if name != "out"}


@pytest.fixture(scope="module")
def init(tmp_path_factory):
  """A model file of a network in `variable` that has learnt from other pictures, and what it holds."""
  folder = tmp_path_factory.mktemp("init")
  save_untrained(_config(), folder / "run")
  trained = jaxdistort.load(folder / "run", sharding=replicated(create_mesh()))
  moved = jax.tree.map(lambda leaf: leaf + 0.25, trained.variables.statistics)
  known = Seen(np.array([5, 7], np.uint64))
  object.__setattr__(trained, "variables", trained.variables._replace(statistics=moved))
  object.__setattr__(trained, "seen", known)
  return str(trained.save(folder / "init.safetensors")), trained


@pytest.mark.long
def test_everything_is_taken_over_for_the_same_answers(init, tmp_path):
  path, theirs = init
  parts = _parts(_config(init=path, seed=4), tmp_path)
  _equal(parts.state.parameters, theirs.variables.parameters)
  _equal(parts.state.statistics, theirs.variables.statistics)
  assert all(not np.asarray(leaf).any() for leaf in jax.tree.leaves(parts.state.optimizer))
  assert int(parts.state.step) == 0
  assert f"a new run with the weights of {path}" in parts.introduce(0)
  assert np.isin([5, 7], parts.seen.hashes).all()  # nothing that the other has seen counts as unseen later
  assert len(parts.seen) == 2 + len(_parts(_config(), tmp_path).seen)


@pytest.mark.long
@pytest.mark.parametrize(
  "changes",
  [
    {"protocol": ProtocolConfig("six", 0)},
    {"task": TaskConfig("recognition")},
    {"protocol": ProtocolConfig("of_two", 0)},
  ],
  ids=["more kinds", "another task", "as many other kinds"],
)
def test_the_output_layer_is_fresh_for_other_answers(init, tmp_path, changes, request):
  from jaxdistort.protocols import PROTOCOLS, Kind, Protocol, Stage

  stage = Stage((Kind("twirl"), Kind("jpeg")), untouched=1)
  PROTOCOLS.register("of_two", lambda jpeg_quality=None: Protocol("of_two", (stage,), jpeg_quality))
  request.addfinalizer(lambda: PROTOCOLS.unregister("of_two"))
  path, theirs = init
  parts, fresh = (_parts(_config(**changes, init=own), tmp_path) for own in (path, ""))
  _equal(_without_output(parts.state.parameters), _without_output(theirs.variables.parameters))
  _equal(parts.state.statistics, theirs.variables.statistics)
  _equal(parts.state.parameters["out"], fresh.state.parameters["out"])


@pytest.mark.long
def test_of_a_calibrated_recogniser_everything_is_taken_over(tmp_path):
  config = _config(task=TaskConfig("recognition"))
  save_untrained(config, tmp_path / "run")
  trained = jaxdistort.load(tmp_path / "run", sharding=replicated(create_mesh()))
  labels = trained.task.labels
  none = Calibration.none(len(labels.kinds), len(labels.group_names))
  calibrated = Recognition(labels, dataclasses.replace(none, slopes=(0.5,) * len(none.slopes)))
  description = dataclasses.replace(trained.description, task=calibrated)
  path = dataclasses.replace(trained, description=description).save(tmp_path / "init.safetensors")
  parts = _parts(_config(task=TaskConfig("recognition"), init=str(path), seed=4), tmp_path / "new")
  _equal(parts.state.parameters, trained.variables.parameters)


@pytest.mark.long
def test_large_arrays_are_split_as_ever(init, tmp_path):
  path, theirs = init
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr("jaxdistort.runtime.mesh._SMALLEST_SPLIT", 1024)
    parts = _parts(_config(init=path, fsdp=8), tmp_path)
  assert any(not leaf.sharding.is_fully_replicated for leaf in jax.tree.leaves(parts.state.parameters))
  _equal(parts.state.parameters, theirs.variables.parameters)


def test_what_does_not_fit_is_refused(init, tmp_path):
  path, _ = init
  for changes, message in (
    ({"model": ModelConfig("multiscale")}, r"its array fine\.bias has the shape none, multiscale here has \(24,\)"),
    ({"model": ModelConfig("softmax")}, r"its array layers\.0\.kernel has the shape \(.*\), softmax here has none; "),
    ({"model": ModelConfig("compact", "raw", pool=True)}, "scaled as centered; give model.input_scaling=centered"),
  ):
    with pytest.raises(InputError, match=rf"config: init {path}: .*{message}"):
      _parts(_config(init=path, **changes), tmp_path)
  with pytest.raises(InputError, match=r"model nowhere\.safetensors: no such file"):
    _parts(_config(init="nowhere.safetensors"), tmp_path)


def test_frozen_layers_must_be_those_that_the_other_had():
  whole = jnp.float32([0.1, 0.3, 1.7])  # of which half as many bits hold none
  init = SimpleNamespace(path="x", variables=Variables({}, {}, {"backbone": {"kernel": whole.astype(jnp.bfloat16)}}))
  check_frozen(init, {"backbone": {"kernel": whole}})
  with pytest.raises(
    InputError, match=r"init x: .* another backbone than model\.weights gives \(backbone\.kernel differs"
  ):
    check_frozen(init, {"backbone": {"kernel": jnp.zeros(3)}})


class _Listener(Progress):
  def __init__(self):
    self.said = []

  def tell(self, text):
    self.said.append(text)


@pytest.mark.long
@pytest.mark.usefixtures("undrawn")
def test_a_resumed_run_reads_its_checkpoint_instead(init, tmp_path):
  path, _ = init
  config, listener = _config(init=path, steps=2, evaluate_every=100), _Listener()
  train(config, tmp_path / "run", progress=listener)
  assert "with the weights of" in listener.said[0]
  for config.steps, config.init in ((3, "nowhere"), (4, "")):
    assert resuming.settle(config, tmp_path / "run").init == path
    train(config, tmp_path / "run", progress=listener)
  assert any("resuming at step 3" in line for line in listener.said)
  seen = jaxdistort.load(tmp_path / "run").seen
  assert np.isin([5, 7], seen.hashes).all()
