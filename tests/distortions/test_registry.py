"""The table of distortions: defaults, bounds, checks; a new op joins by one call."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdistort.distortions import DISTORTIONS, Distortion, Parameter, check_parameters, gaussian_blur, register
from jaxdistort.errors import InputError

pytestmark = pytest.mark.optimised

_IMAGE = jnp.asarray(np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8))
_KEY = jax.random.key(0)


def brighter(image: jax.Array, shift: jax.Array) -> jax.Array:
  """An op of someone else's."""
  return jnp.clip(image.astype(jnp.float32) + shift, 0, 255).astype(jnp.uint8)


def test_a_new_op_joins_by_one_call():
  register(Distortion("brighter", brighter, (Parameter("shift", "levels", -99, 99, 30, weakest=0),), group="light"))
  try:
    result = DISTORTIONS["brighter"](_KEY, _IMAGE)
    np.testing.assert_array_equal(result, np.minimum(np.asarray(_IMAGE, int) + 30, 255))
    with pytest.raises(InputError, match=r"brighter.shift: expected values within -99\.\.99 levels, got 100"):
      check_parameters("brighter", {"shift": (100, 100)})
    with pytest.raises(ValueError, match="distortion 'brighter' is registered already"):
      register(DISTORTIONS["brighter"])
  finally:
    DISTORTIONS.unregister("brighter")


@pytest.mark.long
def test_parameters_left_out_have_their_default():
  blur, motion = DISTORTIONS["gaussian_blur"], DISTORTIONS["motion_blur"]
  np.testing.assert_array_equal(blur(_KEY, _IMAGE), gaussian_blur(_IMAGE, 10))
  by_order = motion.op(_IMAGE, 50, 0.3)
  np.testing.assert_array_equal(motion(_KEY, _IMAGE, angle=0.3), by_order)
  np.testing.assert_array_equal(motion(_KEY, _IMAGE, angle=0.3, distance=50), by_order)


def test_unknown_names():
  with pytest.raises(TypeError, match="gaussian_blur: expected the parameters radius, got sigma"):
    DISTORTIONS["gaussian_blur"](_KEY, _IMAGE, sigma=1.0)
  assert DISTORTIONS["twirl"].parameter("radius").unit == "px"
  with pytest.raises(InputError, match="parameter of twirl: 'radios' is not one of angle, radius; did you mean"):
    DISTORTIONS["twirl"].parameter("radios")
  with pytest.raises(InputError, match=r"protocol mine: distortion: 'twril' .* did you mean 'twirl'"):
    check_parameters("twril", {}, "protocol mine")
  with pytest.raises(InputError, match="parameter of jpeg"):
    check_parameters("jpeg", {"size": (1, 2)})


@pytest.mark.parametrize(
  ("name", "ranges"),
  [
    ("gaussian_blur", {"radius": (1, 11)}),
    ("gaussian_noise", {"amount": (1, 26), "density": (0.1, 1.1)}),
    ("twirl", {"angle": (-3, 3)}),
    ("jpeg", {"quality": (75, 75)}),
  ],
)
def test_distributions_within_the_bounds_pass(name, ranges):
  check_parameters(name, ranges, "protocol variable")


@pytest.mark.parametrize(
  ("name", "parameter", "values", "message"),
  [
    (
      "gaussian_blur",
      "radius",
      (1, 60),
      r"^sweep: gaussian_blur\.radius: expected values within 0\.\.48 px, got 1\.\.60$",
    ),
    ("motion_blur", "distance", (-1, 5), r"motion_blur\.distance: expected values within 0\.\.64 px, got -1\.\.5"),
    ("monochrome_noise", "amount", (5, np.inf), r"monochrome_noise\.amount: .* 0\.\.512 levels, got 5\.\.inf"),
    ("marble", "x_scale", (np.nan, 5), r"marble\.x_scale: .* 1\.\.64 px, got nan\.\.5"),
    ("marble", "x_scale", (np.nan, np.nan), "got nan"),
    ("ripple", "y_wavelength", (9, 2), r"got 9\.\.2"),
    ("jpeg", "quality", (101, 101), r"jpeg\.quality: expected values within 1\.\.100, got 101$"),
    ("jpeg", "quality", (10, 90), r"jpeg\.quality: expected whole numbers within 1\.\.100, got any within 10\.\.90$"),
    ("jpeg", "quality", (75.5, 75.5), r"expected whole numbers within 1\.\.100, got 75\.5$"),
  ],
)
def test_distributions_beyond_the_bounds_are_refused(name, parameter, values, message):
  with pytest.raises(InputError, match=message):
    check_parameters(name, {parameter: values}, "sweep")


def test_whole_numbers():
  DISTORTIONS["jpeg"].check("quality", 10, 90, whole=True)
  for ends in ((10.5, 90), (10, 90.5)):
    with pytest.raises(InputError, match=r"whole numbers within 1\.\.100, got any within 10"):
      DISTORTIONS["jpeg"].check("quality", *ends, whole=True)
  with pytest.raises(InputError, match=r"within 1\.\.100, got 0\.\.90"):
    DISTORTIONS["jpeg"].check("quality", 0, 90, whole=True)


@pytest.mark.parametrize(
  ("build", "message"),
  [
    (lambda: Parameter("a", "px", 5, 1, 2, 1), "parameter a: expected low < high, both finite, got 5 and 1"),
    (lambda: Parameter("a", "px", 0, np.inf, 2, 1), "both finite"),
    (lambda: Parameter("a", "px", 0, np.nan, 2, 1), "both finite"),
    (lambda: Parameter("a", "px", 0, 5, 6, 1), r"default 6 is not within 0\.\.5 px"),
    (lambda: Parameter("a", "px", 0, 5, 5, -1), r"weakest -1 is not within 0\.\.5 px"),
    (lambda: Distortion("x", brighter, (), group="bright"), "x: expected one of the groups blur, .* got 'bright'"),
    (
      lambda: Distortion("x", brighter, (Parameter("a", "", 0, 1, 0, 0),), graded=("b",), group="light"),
      "graded .* a, got",
    ),
    (lambda: Distortion("x", brighter, (Parameter("a", "", 0, 1, 0, 0),) * 2, group="light"), "same name"),
  ],
)
def test_entries_that_cannot_be_are_refused(build, message):
  with pytest.raises(ValueError, match=message):
    build()


@pytest.mark.long
@pytest.mark.parametrize("name", DISTORTIONS)
def test_the_weakest_values_change_least(name, photographs):
  """Nothing, but for what JPEG does to colours at any quality."""
  distortion, image = DISTORTIONS[name], jnp.asarray(photographs[0])
  op = functools.partial(distortion, _KEY, image)
  change = lambda **own: np.abs(np.asarray(op(**own), int) - photographs[0]).mean()
  weakest = {p.name: p.weakest for p in distortion.parameters}
  assert change(**weakest) <= (1.5 if name == "jpeg" else 0)
  assert change() > 1.7
