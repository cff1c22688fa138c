"""Protocols: shares, laws, the stream, and every op inside them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdistort.distortions import DISTORTIONS, jpeg
from jaxdistort.protocols import PROTOCOLS, distort_sharded, six, variable
from jaxdistort.runtime.mesh import create_mesh, data_sharding

_SIX, _VARIABLE = six(jpeg_quality=None), variable(jpeg_quality=None)
_distort_six, _distort_variable = jax.jit(_SIX.distort), jax.jit(_VARIABLE.distort)


@pytest.fixture(scope="module")
def pictures(photographs):
  """uint8 [24, 32, 32, 3]."""
  return jnp.asarray(np.concatenate([photographs[:, y : y + 32, x : x + 32] for y, x in ((0, 0), (32, 0), (10, 30))]))


def test_the_paper_s_classes():
  names = ("reference", "gaussian_blur", "motion_blur", "gaussian_noise", "monochrome_noise", "marble", "twirl")
  assert six().class_names == names
  assert six().period == 7
  assert variable().class_names == ("reference", "gaussian_blur", "gaussian_noise")
  np.testing.assert_array_equal(np.bincount(variable().pattern), [1, 4, 4])
  assert {p().jpeg_quality for p in PROTOCOLS.values()} == {75}


@pytest.mark.parametrize("first", [0, 3, 20])
@pytest.mark.parametrize("label", range(7))
def test_each_op_inside_the_protocol_is_the_op_alone(pictures, first, label):
  samples = _distort_six(jax.random.key(5), pictures, first)
  members = np.flatnonzero(samples.labels == label)
  assert abs(len(members) - len(pictures) / 7) < 1
  picture_class = _SIX.classes[label]
  for i in members:
    expected = pictures[i]
    if label:
      key = jax.random.fold_in(jax.random.fold_in(jax.random.key(5), first + i), 0)
      expected = DISTORTIONS[picture_class.name](key, expected, **DISTORTIONS[picture_class.name].paper_constants)
    np.testing.assert_array_equal(samples.images[i], expected)


def test_jpeg_is_the_last_step_of_every_picture(pictures):
  plain = _distort_six(jax.random.key(5), pictures, 0)
  coded = jax.jit(six(jpeg_quality=40).distort)(jax.random.key(5), pictures, 0)
  np.testing.assert_array_equal(coded.images, jax.vmap(lambda i: jpeg(i, 40))(plain.images))


def test_labels_take_turns_through_the_stream(pictures):
  for protocol, distort in ((_SIX, _distort_six), (_VARIABLE, _distort_variable)):
    labels = np.concatenate([distort(jax.random.key(k), pictures, 24 * k).labels for k in range(21)])
    np.testing.assert_array_equal(labels, np.tile(protocol.pattern, 24 * 21 // protocol.period))


def test_pictures_do_not_depend_on_how_the_stream_is_cut(pictures):
  whole = _distort_variable(jax.random.key(0), pictures, 100)
  parts = [jax.jit(_VARIABLE.distort)(jax.random.key(0), pictures[i : i + 8], 100 + i) for i in (0, 8, 16)]
  for part, start in zip(parts, (0, 8, 16), strict=True):
    jax.tree.map(lambda w, p, s=start: np.testing.assert_array_equal(w[s : s + 8], p), whole, part)


def test_eight_devices_distort_as_one(pictures):
  mesh = create_mesh()
  assert mesh.devices.size == 8
  sharded = jax.jit(distort_sharded(_SIX, mesh))(
    jax.random.key(2), jax.device_put(pictures, data_sharding(mesh)), jnp.uint32(11)
  )
  assert len(sharded.images.sharding.device_set) == 8
  jax.tree.map(np.testing.assert_array_equal, sharded, _distort_six(jax.random.key(2), pictures, jnp.uint32(11)))


def test_parameters_come_with_their_pictures(pictures):
  samples = _distort_variable(jax.random.key(1), pictures, 0)
  assert set(samples.parameters) == {"gaussian_blur.radius", "gaussian_noise.amount", "gaussian_noise.density"}
  for name, values in samples.parameters.items():
    own = samples.labels == _VARIABLE.class_names.index(name.split(".")[0])
    np.testing.assert_array_equal(np.isnan(values), ~np.asarray(own))
  for i in np.flatnonzero(samples.labels == 1):
    expected = DISTORTIONS["gaussian_blur"](
      jax.random.key(0), pictures[i], radius=samples.parameters["gaussian_blur.radius"][i]
    )
    np.testing.assert_array_equal(samples.images[i], expected)


def test_laws_of_the_variable_protocol():
  tiny = jnp.zeros((9 * 700, 1, 1, 3), jnp.uint8)
  samples = _distort_variable(jax.random.key(3), tiny, 0)
  drawn = {name: np.asarray(v)[~np.isnan(v)] for name, v in samples.parameters.items()}
  assert {name: len(v) for name, v in drawn.items()} == dict.fromkeys(drawn, 4 * 700)
  radius, amount, density = (drawn[f"gaussian_{n}"] for n in ("blur.radius", "noise.amount", "noise.density"))
  assert 1 <= radius.min() < 1.05
  assert 10.95 < radius.max() < 11
  assert abs(radius.mean() - 6) < 0.2
  np.testing.assert_array_equal(np.unique(amount), np.arange(1, 27))
  assert 0.1 <= density.min() < 0.11
  assert 1.09 < density.max() < 1.1
  assert abs(np.corrcoef(amount, density)[0, 1]) < 0.05
