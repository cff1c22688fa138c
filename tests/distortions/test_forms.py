"""What holds for every op: shapes, forms, keys, bounds."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdistort.distortions import DISTORTIONS, gaussian_blur, jpeg, motion_blur, twirl

pytestmark = pytest.mark.optimised

_FEW_LEVELS = {"banding", "dithered_banding", "quantisation"}  # among which 128 need not be


def _levels(name):
  """Three different settings of every parameter, to be mixed in one batch: near the weakest, the default, strong."""
  levels = {}
  for p in DISTORTIONS[name].parameters:
    near, strong = (p.weakest + (p.strongest - p.weakest) * share for share in (0.1, 0.7))
    levels[p.name] = tuple(float(round(value)) if p.whole else value for value in (near, p.default, strong))
  return levels


@functools.cache  # a compilation for each form, size and distortion
def _jitted(name):
  return jax.jit(functools.partial(_apply, name))


def _apply(name, key, image, parameters):
  return DISTORTIONS[name](key, image, **parameters)


def _picked(parameters, i):
  return {n: v[i] for n, v in parameters.items()}


@pytest.mark.long
@pytest.mark.parametrize("name", DISTORTIONS)
def test_alone_batched_and_jitted_are_equal(name, photographs):
  keys, images = jax.random.split(jax.random.key(1), 3), jnp.asarray(photographs[:3])
  parameters = {n: jnp.asarray(v, jnp.float32) for n, v in _levels(name).items()}
  op = functools.partial(_apply, name)
  batch = jax.vmap(op)(keys, images, parameters)
  np.testing.assert_array_equal(batch, jax.jit(jax.vmap(op))(keys, images, parameters))
  for i in range(3):
    own = _picked(parameters, i)
    np.testing.assert_array_equal(batch[i], op(keys[i], images[i], own))
    np.testing.assert_array_equal(batch[i], _jitted(name)(keys[i], images[i], own))


@pytest.mark.long
@pytest.mark.parametrize("name", ["gaussian_blur", "gaussian_noise", "marble"])
def test_one_picture_at_every_level(name, photographs):
  key, image = jax.random.key(0), jnp.asarray(photographs[0])
  parameters = {n: jnp.asarray(v, jnp.float32) for n, v in _levels(name).items()}
  sweep = jax.vmap(functools.partial(_apply, name), (None, None, 0))(key, image, parameters)
  for i in range(3):
    np.testing.assert_array_equal(sweep[i], _apply(name, key, image, _picked(parameters, i)))


@pytest.mark.long
@pytest.mark.parametrize(
  "name", [n for n, d in DISTORTIONS.items() if d.group in ("blur", "coding", "warp") and n not in _FEW_LEVELS]
)
def test_flat_grey_stays_grey(name):
  grey = jnp.full((64, 64, 3), 128, jnp.uint8)
  assert np.all(_apply(name, jax.random.key(0), grey, _picked(_levels(name), 2)) == 128)


@pytest.mark.long
@pytest.mark.parametrize("name", DISTORTIONS)
def test_bounds_hold_for_values_that_cannot_be_seen(name, photographs):
  """A traced value beyond an op's bounds gives the picture of the nearest bound; NaN, nothing that passes for one."""
  distortion, image, key = DISTORTIONS[name], jnp.asarray(photographs[0]), jax.random.key(0)
  op = lambda **own: _jitted(name)(key, image, jax.tree.map(jnp.float32, distortion.defaults | own))
  for parameter in distortion.parameters:
    nothing = np.asarray(op(**{parameter.name: np.nan}))
    assert np.all(nothing == nothing[0, 0])
    for far, further in ((1e7, np.inf), (-1e7, -np.inf)):
      np.testing.assert_array_equal(op(**{parameter.name: far}), op(**{parameter.name: further}))
    for value in (parameter.low, parameter.high):  # the bounds themselves are taken as they are, and the op says so
      concrete = distortion(key, image, **{parameter.name: value})
      np.testing.assert_array_equal(op(**{parameter.name: value}), concrete)


@pytest.mark.parametrize(
  ("name", "beyond", "bound"),
  [
    ("gaussian_blur", {"radius": 99.0}, {"radius": 48.0}),
    ("motion_blur", {"distance": 99.0}, {"distance": 64.0}),
    ("gaussian_noise", {"amount": -5.0}, {"amount": 0.0}),
    ("jpeg", {"quality": 0.0}, {"quality": 1.0}),
    ("jpeg", {"quality": 70.9}, {"quality": 70.0}),
    ("twirl", {"radius": -1.0}, {"radius": 0.0}),
    ("ripple", {"x_amplitude": -2.0}, {"x_amplitude": 0.0}),
    ("marble", {"x_scale": -20.0}, {"x_scale": 1e-3}),
  ],
)
def test_a_traced_value_counts_as_the_nearest_bound(name, beyond, bound, photographs):
  key, image = jax.random.key(0), jnp.asarray(photographs[0])
  op = lambda own: _jitted(name)(key, image, jax.tree.map(jnp.float32, DISTORTIONS[name].defaults | own))
  np.testing.assert_array_equal(op(beyond), op(bound))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "parameter"), [(d.name, p) for d in DISTORTIONS.values() for p in d.parameters])
def test_a_concrete_value_out_of_range_is_refused_by_name(name, parameter):
  image, key = jnp.zeros((8, 8, 3), jnp.uint8), jax.random.key(0)
  op_name, unit = DISTORTIONS[name].op.__name__, f" {parameter.unit}" if parameter.unit else ""
  kinds = [d for d in DISTORTIONS.values() if d.op is DISTORTIONS[name].op]  # another of them may go below 0
  never_negative = min(d.parameter(parameter.name).low for d in kinds) >= 0
  for value in (np.nan, np.inf, -np.inf, 1e7, -1e7, jnp.float32(np.nan), *([-1] if never_negative else [])):
    message = rf"^{op_name}: {parameter.name} must be .*within [-\d.,]+{unit}, got -?[\dain,]+"
    with pytest.raises(ValueError, match=message):
      DISTORTIONS[name](key, image, **{parameter.name: value})
  with pytest.raises(ValueError, match=rf"{parameter.name} must be one number, got shape \[2\].*jax.vmap"):
    DISTORTIONS[name](key, image, **{parameter.name: jnp.ones(2)})


@pytest.mark.long
@pytest.mark.parametrize(("name", "parameter"), [(d.name, p) for d in DISTORTIONS.values() for p in d.parameters])
def test_a_concrete_value_among_many_is_refused(name, parameter):
  """`jax.vmap` outside jit maps over numbers that are there to be looked at."""
  images, keys = jnp.zeros((3, 8, 8, 3), jnp.uint8), jax.random.split(jax.random.key(0), 3)
  op = lambda key, image, value: DISTORTIONS[name](key, image, **{parameter.name: value})
  for value in (np.nan, np.inf, -np.inf, 1e7, *((parameter.default + 0.5,) if parameter.whole else ())):
    values = jnp.array([parameter.default, value, parameter.default], jnp.float32)
    for mapped in (jax.vmap(op), jax.vmap(jax.vmap(op, (None, 0, None)), (0, None, 0))):
      with pytest.raises(ValueError, match=rf"{parameter.name} must be .*, got -?[\da-z,.]+"):
        mapped(keys, images, values)
  with pytest.raises(ValueError, match="got inf"):
    op(keys[0], images[0], 10**400)


@pytest.mark.parametrize("name", DISTORTIONS)
def test_refuses_what_is_not_a_picture(name):
  own = {n: v[1] for n, v in _levels(name).items()}
  with pytest.raises(ValueError, match=r"\[H, W, 3\].*jax.vmap"):
    DISTORTIONS[name](jax.random.key(0), jnp.zeros((2, 8, 8, 3), jnp.uint8), **own)
  with pytest.raises(ValueError, match=r"got shape \[8, 8, 4\]"):
    DISTORTIONS[name](jax.random.key(0), jnp.zeros((8, 8, 4), jnp.uint8), **own)
  with pytest.raises(TypeError, match="uint8"):
    DISTORTIONS[name](jax.random.key(0), jnp.zeros((8, 8, 3), jnp.float32), **own)


@pytest.mark.parametrize(
  ("call", "message"),
  [
    (lambda i: gaussian_blur(i, 49.0), r"radius must be within 0\.\.48 px, got 49; raise max_radius"),
    (lambda i: gaussian_blur(i, 1.0, max_radius=-1.0), r"max_radius must be within 0\.\.4,000 px, got -1"),
    (lambda i: gaussian_blur(i, 1.0, max_radius=np.nan), "max_radius must be within .* got nan"),
    (lambda i: motion_blur(i, 65.0, 0.0), r"distance must be within 0\.\.64 px, got 65; raise max_distance"),
    (lambda i: motion_blur(i, 5.0, 0.0, max_distance=1e9), "max_distance must be within"),
    (lambda i: twirl(i, 1.0, 5.0, center=(0.5, jnp.nan)), r"center y must be within -1,000\.\.1,000, got nan"),
    (lambda i: jpeg(i, 75.5), r"quality must be a whole number within 1\.\.100, got 75\.5"),
  ],
)
def test_maxima_and_special_values_are_refused_by_name(call, message):
  with pytest.raises(ValueError, match=message):
    call(jnp.zeros((8, 8, 3), jnp.uint8))


@pytest.mark.long
def test_static_maxima_change_nothing_but_the_range(photographs):
  image = jnp.asarray(photographs[0])
  np.testing.assert_array_equal(gaussian_blur(image, 7.3), gaussian_blur(image, 7.3, max_radius=50.0))
  np.testing.assert_array_equal(motion_blur(image, 17.0, 2.0), motion_blur(image, 17.0, 2.0, max_distance=200.0))
