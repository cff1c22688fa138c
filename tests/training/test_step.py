"""The training step: what it learns, what it draws, on how many devices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import jaxdistort
from jaxdistort.data import load_resident, open_pictures
from jaxdistort.errors import InputError
from jaxdistort.inference import Description
from jaxdistort.models import NetworkSpec, create_model, split_network
from jaxdistort.models.weights import BackboneReference
from jaxdistort.protocols import variable
from jaxdistort.runtime import mesh as meshes
from jaxdistort.runtime.mesh import create_mesh, data_sharding, replicated
from jaxdistort.tasks import Classification, LabelSpace
from jaxdistort.training import Update, create_state, make_sampler, make_train_step
from jaxdistort.training.checkpoints import Checkpoints
from jaxdistort.training.feeding import Batches, ResidentFeed
from jaxdistort.training.optimizers import create_optimizer
from tests.training.tiny import get_config

pytestmark = pytest.mark.optimised

_PROTOCOL = variable(jpeg_quality=None)
_TASK = Classification(LabelSpace(_PROTOCOL.kinds, _PROTOCOL.groups))


def _mesh(devices, fsdp=1):
  return create_mesh(fsdp, jax.devices()[:devices])


def _update(mesh, name="compact", accumulate=1):
  optimizer = create_optimizer(get_config().optimizer, 100)
  structure, state, _ = create_state(NetworkSpec(name, 3, 32), optimizer, 0, mesh)
  sample = make_sampler(_PROTOCOL, _TASK, mesh, seed=3, size=32, augment=True)
  return state, Update(structure, _TASK, optimizer, sample, mesh, 3, accumulate)


def _parts(mesh, **options):
  state, update = _update(mesh, **options)
  step = make_train_step(update)
  return state, lambda state, images: step(state, {}, images)


def _checkpoints(folder, name="compact"):
  spec = NetworkSpec(name, 3, 32)
  description = Description(spec, _TASK, _PROTOCOL.describe(), "samples")
  return Checkpoints(folder, description, BackboneReference())


@pytest.fixture(scope="module")
def images(photographs):
  return np.concatenate([photographs[:, :32, :32], photographs[:, 32:, 32:]])


def _train(devices, images, steps, fsdp=1, **options):
  mesh = _mesh(devices, fsdp)
  state, step = _parts(mesh, **options)
  batch = jax.device_put(images, data_sharding(mesh))
  losses = []
  for _ in range(steps):
    state, metrics = step(state, batch)
    losses.append(float(metrics.loss))
  return state, losses


@pytest.fixture(scope="module")
def on_one_device(images):
  return _train(1, images, 20)


@pytest.mark.long
def test_the_loss_falls_and_everything_is_finite(on_one_device):
  state, losses = on_one_device
  assert int(state.step) == 20
  assert np.mean(losses[-5:]) < 0.95 * np.mean(losses[:5])
  assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(state))


@pytest.mark.long
@pytest.mark.parametrize("fsdp", [1, 2])  # 8: of several processes, in test_processes.py
def test_eight_devices_learn_what_one_learns(images, on_one_device, fsdp, monkeypatch):
  monkeypatch.setattr(meshes, "_SMALLEST_SPLIT", 256)  # the network is small
  state, losses = _train(8, images, 20, fsdp)
  np.testing.assert_allclose(losses, on_one_device[1], rtol=1e-5)
  split = [leaf for leaf in jax.tree.leaves(state) if not leaf.is_fully_replicated]
  assert bool(split) == (fsdp > 1)
  assert all(leaf.addressable_shards[0].data.size == leaf.size // fsdp for leaf in split)


@pytest.mark.long
def test_repeated_steps_are_equal_to_the_bit(images, on_one_device):
  state, losses = _train(1, images, 20)
  assert losses == on_one_device[1]
  jax.tree.map(np.testing.assert_array_equal, state, on_one_device[0])


@pytest.mark.long
def test_samples_depend_on_seed_and_step_alone(images):
  make = lambda **options: jax.jit(make_sampler(_PROTOCOL, _TASK, _mesh(1), **{"seed": 3, "size": 32} | options))
  sample = make(augment=True)
  first = sample(jnp.int32(5), images)
  jax.tree.map(np.testing.assert_array_equal, first, sample(jnp.int32(5), images))
  assert np.any(first[0] != sample(jnp.int32(6), images)[0])
  assert np.any(first[0] != make(augment=True, seed=4)(jnp.int32(5), images)[0])
  plain, labels = make(augment=False)(jnp.int32(0), images)
  flipped, _ = sample(jnp.int32(0), images)
  clean = labels == 0
  np.testing.assert_array_equal(plain[clean], images[clean])
  pairs = list(zip(flipped[clean], images[clean], strict=True))
  mirrored, same = ([np.array_equal(f, p[:, ::step]) for f, p in pairs] for step in (-1, 1))
  assert all(np.logical_xor(mirrored, same))


@pytest.mark.long
def test_weights_and_steps_draw_from_other_keys():
  """The key of a run's weights is that of no step."""
  spec = NetworkSpec("compact", 3, 32)
  drawn = jax.tree.leaves(split_network(spec.draw(3))[1].parameters)[-1]
  for key in (jax.random.key(3), *(jax.random.fold_in(jax.random.key(3), step) for step in range(3))):
    other = jax.tree.leaves(split_network(spec.build(nnx.Rngs(key)))[1].parameters)[-1]
    assert np.any(np.asarray(drawn) != np.asarray(other))


@pytest.mark.long
@pytest.mark.parametrize("readers", [1, 8])
def test_checkpoints_move_between_numbers_of_devices(images, tmp_path, readers):
  writer_mesh, reader_mesh = _mesh(4), _mesh(readers)
  state, step = _parts(writer_mesh)
  state, _ = step(state, jax.device_put(images, data_sharding(writer_mesh)))
  expected = jax.device_get(state)
  config = get_config()
  with _checkpoints(tmp_path) as checkpoints:
    checkpoints.save(state, config, {"next_batch": 1}, {"accuracy": 0.5, "loss": 1.0})
    state, _ = step(state, jax.device_put(images, data_sharding(writer_mesh)))  # donates what is being written
  fresh, step = _parts(reader_mesh)
  with _checkpoints(tmp_path) as checkpoints:
    restored, position = checkpoints.restore(1, fresh)
  assert position == {"next_batch": 1}
  jax.tree.map(np.testing.assert_array_equal, restored, expected)
  assert {len(leaf.sharding.device_set) for leaf in jax.tree.leaves(restored)} == {readers}
  step(restored, jax.device_put(images, data_sharding(reader_mesh)))


@pytest.mark.slow
def test_the_newest_and_the_best_are_kept(tmp_path):
  state, _ = _parts(_mesh(1), name="softmax")
  config = get_config()
  config.model.name = "softmax"
  with _checkpoints(tmp_path, "softmax") as checkpoints:
    for step, accuracy in enumerate((0.3, 0.8, 0.5, None, 0.7), start=1):
      metrics = None if accuracy is None else {"accuracy": accuracy, "loss": 1.0}
      checkpoints.save(state._replace(step=jnp.int32(step)), config, {"pictures": "of a test", "seen": ""}, metrics)
      checkpoints.wait()
    assert (checkpoints.latest_step, checkpoints.best_step) == (5, 2)
  kept = sorted(p.name for p in (tmp_path / "checkpoints").iterdir())
  assert kept == ["2", "5"]
  sharding = replicated(create_mesh())
  assert jaxdistort.load(tmp_path, sharding=sharding).step == 2
  assert jaxdistort.load(tmp_path / "checkpoints", sharding=sharding).step == 2
  trained = jaxdistort.load(tmp_path / "checkpoints" / "5", sharding=sharding)
  assert trained.step == 5
  assert trained.task.labels == _TASK.labels
  jax.tree.map(np.testing.assert_array_equal, trained.variables.parameters, state.parameters)


@pytest.mark.parametrize(
  ("damage", "message"),
  [
    (lambda run: run / "nowhere", "does not exist"),
    (lambda run: (run / "empty").mkdir() or run / "empty", "holds no checkpoints"),
    (lambda run: run / "checkpoints" / "7", "no complete checkpoint there"),
    (
      lambda run: (
        [p.write_bytes(b"x") for p in (run / "checkpoints" / "1" / "state").rglob("*") if p.is_file()] and run
      ),
      "is damaged",
    ),
  ],
)
def test_checkpoints_that_cannot_be_used_are_told(tmp_path, damage, message):
  state, _ = _parts(_mesh(1), name="softmax")
  config = get_config()
  config.model.name = "softmax"
  with _checkpoints(tmp_path, "softmax") as checkpoints:
    checkpoints.save(state._replace(step=jnp.int32(1)), config, {}, {"accuracy": 0.5, "loss": 1.0})
  with pytest.raises(InputError, match=message):
    jaxdistort.load(damage(tmp_path))


def test_the_network_is_split_whole():
  """Parameters and statistics together are all of the network's variables."""
  network = nnx.eval_shape(lambda: create_model("compact", 3, image_size=32, rngs=nnx.Rngs(0)))
  _, variables = split_network(network)
  layers = len(network.layers)
  assert len(jax.tree.leaves(variables.parameters)) == layers + 2 * layers + 2
  assert len(jax.tree.leaves(variables.statistics)) == 2 * layers
  assert variables.frozen == {}


@pytest.mark.long
@pytest.mark.parametrize("devices", [1, 4])
def test_a_batch_in_parts_is_a_whole_one(images, devices):
  """Of a network without batch normalisation, whose statistics are those of a part."""
  whole = _train(1, images, 4, name="softmax")
  parts = _train(devices, images, 4, name="softmax", accumulate=2)
  np.testing.assert_allclose(parts[1], whole[1], rtol=1e-5)
  for ours, theirs in zip(jax.tree.leaves(parts[0]), jax.tree.leaves(whole[0]), strict=True):
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.long
def test_parts_of_a_batch_are_normalised_one_by_one(images):
  state, losses = _train(1, images, 2, accumulate=2)
  assert all(map(np.isfinite, losses))
  assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(state))


@pytest.mark.long
@pytest.mark.parametrize("devices", [1, 8])
def test_steps_in_one_dispatch_are_steps(folder_of_photographs, devices):
  """A loop on the device is another program, which rounds in another way."""
  pictures, mesh = open_pictures(f"folder:{folder_of_photographs}", "train"), _mesh(devices)
  batches = Batches(pictures, pictures.order(3), 36, 16)
  resident = load_resident(pictures, 36, mesh, workers=0)
  losses = []
  for most in (1, 3):
    state, update = _update(mesh, "softmax")
    feed = ResidentFeed(update, resident, batches, most=most)
    losses.append([])
    for count in [1] * 6 if most == 1 else [3, 2, 1]:
      state, metrics = feed.advance(state, {}, count)
      losses[-1] += np.atleast_1d(metrics.loss)[:count].tolist()
    assert int(state.step) == 6
  np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)
