"""Severity tables: the study's constants, and every table within the bounds of the ops."""

import numpy as np
import pytest

from jaxdistort.distortions import DISTORTIONS, PAPER, SEVERITY_TABLES, SeverityTable, check_parameters
from jaxdistort.distortions.distributions import Distribution
from jaxdistort.distortions.severities import DQ495K, IMAGENET_C, KADID10K, Entry
from jaxdistort.distortions.severities.levels import nearest_level, severities_of
from jaxdistort.errors import InputError


def test_the_study_s_constants():
  assert SEVERITY_TABLES.find("paper") is PAPER
  assert {name: PAPER.parameters(name) for name in PAPER.entries} == {
    "gaussian_blur": {"radius": 10},
    "motion_blur": {"distance": 50, "angle": 90},
    "gaussian_noise": {"amount": 25, "density": 1},
    "monochrome_noise": {"amount": 25, "density": 1},
    "marble": {"x_scale": 20, "y_scale": 20, "turbulence": 5},
    "twirl": {"angle": 3, "radius": 250},
    "ripple": {"x_amplitude": 10, "x_wavelength": 10, "y_amplitude": 10, "y_wavelength": 10},
    "jpeg": {"quality": 75},
  }


@pytest.mark.parametrize("name", SEVERITY_TABLES)
def test_every_level_names_all_parameters_within_their_bounds(name):
  table = SEVERITY_TABLES[name]
  assert table.source
  for own_name, entry in table.entries.items():
    assert entry.levels
    assert set(entry.unchanged) <= set(range(1, len(entry.levels) + 1))
    for severity in range(1, len(entry.levels) + 1):
      own = table.parameters(own_name, severity)
      assert list(own) == [p.name for p in DISTORTIONS[entry.distortion].parameters]
      ends = {n: v.support if isinstance(v, Distribution) else (v, v) for n, v in own.items()}
      check_parameters(entry.distortion, ends)


@pytest.mark.slow
@pytest.mark.parametrize("name", SEVERITY_TABLES)
def test_severities_are_one_for_every_level(name):
  for entry in SEVERITY_TABLES[name].entries.values():
    own = severities_of(entry)
    assert own.shape == (len(entry.levels),)
    assert own.dtype == np.float32
    assert np.all((own >= 0) & (own <= 1))
    if entry.severities:
      assert np.all(np.diff(own) > 0)


def test_an_estimated_severity_is_the_nearest_level():
  estimates = np.array([[0.0, 0.29, 0.31], [0.5, 0.95, 1.0]])
  found = nearest_level(DQ495K, "gaussian_noise", estimates)
  np.testing.assert_array_equal(found[:, 1:], [[1, 2], [5, 5]])
  assert found.dtype == np.int32
  assert found[0, 0] == 1
  assert (
    nearest_level(DQ495K, "blur_jitter", 0.6) == nearest_level(DQ495K, "glass_blur", 0.6) == 3
  )  # two entries of ours
  with pytest.raises(InputError, match="'twirl' is not one of noise_gaussian_rgb"):
    nearest_level(DQ495K, "twirl", 0.5)


def test_levels_by_perceptual_severity_and_those_that_change_nothing():
  for level, place in enumerate(severities_of(KADID10K.entries["lens_blur"]), 1):
    assert nearest_level(KADID10K, "defocus_blur", place) == level
  assert KADID10K.entries["gaussian_blur"].unchanged == (1,)
  assert nearest_level(KADID10K, "gaussian_blur", 0) == 2
  for level, place in enumerate(severities_of(DQ495K.entries["compression_jpeg"]), 1):
    assert nearest_level(DQ495K, "jpeg", place) == level


def test_levels_that_are_not_there():
  table = SeverityTable("mine", {"gaussian_blur": Entry("gaussian_blur", ({"radius": 1}, {"radius": 3}))})
  assert table.parameters("gaussian_blur", 2) == {"radius": 3}
  table.parameters("gaussian_blur")["radius"] = 5  # a copy: the table stays as it is
  assert table.parameters("gaussian_blur") == {"radius": 1}
  for severity in (0, 3, -1):
    with pytest.raises(InputError, match=r"severity of gaussian_blur: expected a whole number within 1\.\.2, got"):
      table.parameters("gaussian_blur", severity)
  with pytest.raises(InputError, match="'twirl' is not one of gaussian_blur"):
    table.parameters("twirl")


@pytest.mark.parametrize("kind", ["snow", "elastic_transform"])
def test_levels_that_no_scale_puts_in_order_have_severities_of_their_own(kind):
  severities = IMAGENET_C.entries[kind].severities
  assert [nearest_level(IMAGENET_C, kind, own) for own in severities] == [1, 2, 3, 4, 5]
