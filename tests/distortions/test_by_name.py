"""`distort`: by table, by perceptual severity, by parameters; each picture of a batch like the picture alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxdistort
from jaxdistort.distortions import DISTORTIONS, SEVERITY_TABLES, distort, gaussian_blur, names
from jaxdistort.errors import InputError

_KEY = jax.random.key(3)


def test_names():
  assert names() == tuple(DISTORTIONS)
  assert names(source="live") == ("gblur", "wn")
  assert jaxdistort.distort is distort
  with pytest.raises(InputError, match=r"source: 'liv' is not one of .* did you mean 'live'"):
    names("liv")


@pytest.mark.long
def test_parameters_of_each_picture(photographs):
  blurred = distort(photographs[:3], "gaussian_blur", radius=[1.5, 4, 9])
  assert isinstance(blurred, np.ndarray)
  assert blurred.dtype == np.uint8
  for i, radius in enumerate((1.5, 4, 9)):
    np.testing.assert_array_equal(blurred[i], gaussian_blur(jnp.asarray(photographs[i]), radius))
    np.testing.assert_array_equal(blurred[i], distort(photographs[i], "gaussian_blur", radius=radius))


@pytest.mark.long
def test_jax_arrays_stay_with_jax(photographs):
  images = jnp.asarray(photographs[:2])
  direct = distort(images, "gaussian_noise", amount=20, key=_KEY)
  assert isinstance(direct, jax.Array)
  np.testing.assert_array_equal(direct, distort(photographs[:2], "gaussian_noise", amount=20, key=_KEY))
  np.testing.assert_array_equal(direct[0], distort(images[0], "gaussian_noise", amount=20, key=_KEY))
  assert np.any(np.asarray(direct[1] != distort(images[1], "gaussian_noise", amount=20, key=_KEY)))  # not picture 0
  inside = jax.jit(lambda images, key: distort(images, "gaussian_noise", amount=20, key=key))
  np.testing.assert_array_equal(direct, inside(images, _KEY))


@pytest.mark.long
def test_levels_of_a_table(photographs):
  levels = len(SEVERITY_TABLES["live"].entries["gblur"].levels)
  blurred = distort(photographs[:2], "gblur", severity=[1, levels // 2], source="live")
  for i, severity in enumerate((1, levels // 2)):
    radius = SEVERITY_TABLES["live"].parameters("gblur", severity)["radius"]
    np.testing.assert_array_equal(blurred[i], distort(photographs[i], "gaussian_blur", radius=radius))
  np.testing.assert_array_equal(
    blurred, distort(photographs[:2], "gaussian_blur", severity=[1, levels // 2], source="live")
  )


@pytest.mark.slow
@pytest.mark.parametrize(("severity", "deviation"), [(1, 0.011719), (5, 0.027344)])
def test_noise_of_live_is_as_strong_as_there(severity, deviation):
  grey = np.full((256, 256, 3), 128, np.uint8)
  noisy = np.asarray(distort(grey, "wn", severity=severity, source="live", key=_KEY), float)
  assert noisy.std() == pytest.approx(255 * deviation, rel=0.03)


def test_a_parameter_comes_before_the_severity(photographs):
  by_hand = distort(photographs[0], "motion_blur", distance=50, angle=0.5)
  np.testing.assert_array_equal(distort(photographs[0], "motion_blur", severity=1, source="paper", angle=0.5), by_hand)


@pytest.mark.long
def test_perceptual_severity(photographs):
  changes = [
    np.abs(np.int32(distort(photographs, "gaussian_blur", severity=s)) - photographs).mean() for s in (0, 0.2, 0.5, 1)
  ]
  assert changes[0] == 0
  assert changes == sorted(set(changes))
  twice = [distort(photographs[0], "motion_blur", severity=0.5, key=jax.random.key(k)) for k in (0, 0, 1)]
  np.testing.assert_array_equal(*twice[:2])
  assert np.any(twice[0] != twice[2])  # its angle is drawn


@pytest.mark.parametrize(
  ("call", "message"),
  [
    (lambda i: distort(i, "gausian_blur", radius=1), "distortion: 'gausian_blur' .* did you mean 'gaussian_blur'"),
    (lambda i: distort(i, "gaussian_blur", sigma=1), "parameter of gaussian_blur: 'sigma' is not one of radius"),
    (
      lambda i: distort(i, "gaussian_blur", radius=[1, 999]),
      r"gaussian_blur.radius: expected values within .* got 999",
    ),
    (lambda i: distort(i, "gaussian_blur", radius=[1, 2, 3]), r"radius: expected one number or 2, .* got shape \[3\]"),
    (lambda i: distort(i, "gaussian_noise", amount=9), r"gaussian_noise is random: give it a key"),
    (lambda i: distort(i, "motion_blur", severity=0.5), r"motion_blur is random: give it a key"),
    (lambda i: distort(i, "gaussian_blur", severity=3), r"severity of gaussian_blur: .* 0\.\.1 .* source\), got 3"),
    (
      lambda i: distort(i, "gblur", severity=0, source="live"),
      r"severity of gblur: .* whole numbers within 1\.\.62, got 0",
    ),
    (lambda i: distort(i, "gblur", severity=1.5, source="live"), r"got 1\.5"),
    (lambda i: distort(i, "gblur", source="live"), r"gblur: expected a severity within 1\.\.62"),
    (lambda i: distort(i, "fog", severity=1, source="live"), "'fog' is not one of gblur, wn"),
    (lambda i: distort(i.astype(float), "gaussian_blur"), r"images: expected uint8 .* got float64 \[2, 64, 64, 3\]"),
    (lambda i: distort(i[..., 0], "gaussian_blur"), r"got uint8 \[2, 64, 64\]"),
  ],
)
def test_what_cannot_be_is_one_line(call, message, photographs):
  with pytest.raises(InputError, match=message):
    call(photographs[:2])


@pytest.mark.parametrize(
  ("kind", "parameters"),
  [("pixelate", {"scale": 0.02}), ("darken", {"amount": 1.2}), ("contrast_curve", {"amount": -0.6})],
)
def test_bounds_are_values(kind, parameters):
  image = np.zeros((8, 8, 3), np.uint8)
  assert distort(image, kind, **parameters).shape == image.shape
  assert distort(image[None], kind, **{name: np.float32([value]) for name, value in parameters.items()}).shape[0] == 1
