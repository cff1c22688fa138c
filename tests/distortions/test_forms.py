"""What holds for every op: shapes, forms, keys, bounds."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdistort.distortions import DISTORTIONS, gaussian_blur, gaussian_noise, jpeg, motion_blur, twirl

_LEVELS = {  # three different settings of every parameter, to be mixed in one batch
  "gaussian_blur": {"radius": (0.4, 3.7, 10.9)},
  "motion_blur": {"distance": (1.0, 12.5, 50.0), "angle": (np.pi, 0.3, 90.0)},
  "gaussian_noise": {"amount": (1.0, 10.0, 25.0), "density": (0.1, 1.0, 0.6)},
  "monochrome_noise": {"amount": (1.0, 10.0, 25.0), "density": (0.1, 1.0, 0.6)},
  "marble": {"x_scale": (5.0, 20.0, 11.0), "y_scale": (3.0, 20.0, 9.0), "turbulence": (1.0, 5.0, 2.0)},
  "twirl": {"angle": (3.0, -1.0, 0.5), "radius": (250.0, 30.0, 60.0)},
  "ripple": {
    "x_amplitude": (10.0, 1.0, 4.0),
    "x_wavelength": (10.0, 3.0, 5.0),
    "y_amplitude": (10.0, 0.0, 2.0),
    "y_wavelength": (10.0, 4.0, 7.0),
  },
  "jpeg": {"quality": (75.0, 10.0, 100.0)},
}


def _batch(name, photographs):
  parameters = {n: jnp.asarray(v, jnp.float32) for n, v in _LEVELS[name].items()}
  return jax.random.split(jax.random.key(1), 3), jnp.asarray(photographs[:3]), parameters


def test_every_distortion_is_listed_with_its_op_s_parameters():
  assert set(_LEVELS) == set(DISTORTIONS)
  for distortion in DISTORTIONS.values():
    names = list(inspect.signature(distortion.op).parameters)
    given = (["key"] if distortion.random else []) + ["image"] + [p.name for p in distortion.parameters]
    assert names[: len(given)] == given
    assert distortion.name == "jpeg" or distortion.op.__doc__.count("Source:") == 1
    for parameter in distortion.parameters:
      assert parameter.low < parameter.high


@pytest.mark.parametrize("name", DISTORTIONS)
def test_each_picture_of_a_batch_equals_its_own_call(name, photographs):
  keys, images, parameters = _batch(name, photographs)
  op = lambda key, image, own: DISTORTIONS[name](key, image, **own)
  batch = jax.jit(jax.vmap(op))(keys, images, parameters)
  eager_batch = jax.vmap(op)(keys, images, parameters)
  np.testing.assert_array_equal(batch, eager_batch)
  for i in range(3):
    own = {n: v[i] for n, v in parameters.items()}
    np.testing.assert_array_equal(batch[i], op(keys[i], images[i], own))
    np.testing.assert_array_equal(batch[i], jax.jit(op)(keys[i], images[i], own))


@pytest.mark.parametrize("name", DISTORTIONS)
def test_one_picture_at_many_levels(name, photographs):
  keys, images, parameters = _batch(name, photographs)
  op = lambda own: DISTORTIONS[name](keys[0], images[0], **own)
  sweep = jax.vmap(op)(parameters)
  for i in range(3):
    np.testing.assert_array_equal(sweep[i], op({n: v[i] for n, v in parameters.items()}))


@pytest.mark.parametrize("name", DISTORTIONS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (9, 2), (17, 33)])
def test_any_size(name, shape):
  image = jnp.asarray(np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8))
  own = {n: v[1] for n, v in _LEVELS[name].items()}
  result = DISTORTIONS[name](jax.random.key(0), image, **own)
  assert result.shape == image.shape
  assert result.dtype == jnp.uint8


@pytest.mark.parametrize("name", DISTORTIONS)
def test_flat_grey_stays_grey_but_for_noise(name):
  grey = jnp.full((20, 24, 3), 128, jnp.uint8)
  own = {n: v[2] for n, v in _LEVELS[name].items()}
  result = DISTORTIONS[name](jax.random.key(0), grey, **own)
  assert np.all(result == 128) != name.endswith("noise")


@pytest.mark.parametrize("name", DISTORTIONS)
def test_refuses_what_is_not_a_picture(name):
  own = {n: v[1] for n, v in _LEVELS[name].items()}
  with pytest.raises(ValueError, match=r"\[H, W, 3\].*jax.vmap"):
    DISTORTIONS[name](jax.random.key(0), jnp.zeros((2, 8, 8, 3), jnp.uint8), **own)
  with pytest.raises(ValueError, match=r"got shape \[8, 8, 4\]"):
    DISTORTIONS[name](jax.random.key(0), jnp.zeros((8, 8, 4), jnp.uint8), **own)
  with pytest.raises(TypeError, match="uint8"):
    DISTORTIONS[name](jax.random.key(0), jnp.zeros((8, 8, 3), jnp.float32), **own)


def test_refuses_wrong_parameter_names():
  with pytest.raises(TypeError, match="expected the parameters radius, got sigma"):
    DISTORTIONS["gaussian_blur"](jax.random.key(0), jnp.zeros((8, 8, 3), jnp.uint8), sigma=1.0)


@pytest.mark.parametrize(
  ("call", "message"),
  [
    (lambda i: gaussian_blur(i, 12.0), r"radius must be within 0\.\.11, got 12; raise max_radius"),
    (lambda i: gaussian_blur(i, -1.0), "radius must be within"),
    (lambda i: gaussian_blur(i, jnp.nan), "radius must be within"),
    (lambda i: motion_blur(i, 65.0, 0.0), r"distance must be within 0\.\.64, got 65; raise max_distance"),
    (lambda i: motion_blur(i, 5.0, jnp.nan), "angle must be a number, got nan"),
    (lambda i: gaussian_noise(jax.random.key(0), i, -1.0, 1.0), "amount must be at least 0, got -1"),
    (lambda i: twirl(i, 1.0, -5.0), "radius must be at least 0"),
    (lambda i: jpeg(i, 0), r"quality must be within 1\.\.100, got 0"),
    (lambda i: jpeg(i, 101), "quality must be within"),
  ],
)
def test_a_concrete_value_out_of_range_is_named(call, message):
  with pytest.raises(ValueError, match=message):
    call(jnp.zeros((8, 8, 3), jnp.uint8))


def test_static_maxima_change_nothing_but_the_range(photographs):
  image = jnp.asarray(photographs[0])
  np.testing.assert_array_equal(gaussian_blur(image, 7.3), gaussian_blur(image, 7.3, max_radius=20.0))
  np.testing.assert_array_equal(motion_blur(image, 17.0, 2.0), motion_blur(image, 17.0, 2.0, max_distance=200.0))
  np.testing.assert_array_equal(jax.jit(gaussian_blur)(image, 99.0), gaussian_blur(image, 11.0))  # traced: clipped
