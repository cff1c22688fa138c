"""The recogniser that comes with the package."""

from importlib import resources

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from skimage import data

import jaxdistort
from jaxdistort.models import count_parameters
from jaxdistort.tasks import Recognition


@pytest.fixture(scope="module")
def recogniser():
  return jaxdistort.load()


def test_it_is_small_and_calibrated(recogniser):
  file = resources.files("jaxdistort.inference").joinpath("recogniser.safetensors")
  assert len(file.read_bytes()) < 6_000_000
  assert count_parameters(recogniser.variables)[0] < 3_000_000
  task = recogniser.task
  assert isinstance(task, Recognition)
  assert set(task.calibration.slopes) != {1.0}
  assert set(task.levels) == set(task.labels.kinds)
  assert recogniser.description.view == "viewing"


@pytest.mark.long
def test_it_tells_a_sharp_photograph_from_a_spoiled_one(recogniser):
  picture = data.chelsea()
  found = {"": picture}
  for name, severity in (("defocus_blur", 0.9), ("gaussian_noise", 0.8), ("jpeg", 0.6)):
    found[name] = np.asarray(jaxdistort.distort(jnp.asarray(picture), name, severity=severity, key=jax.random.key(0)))
  answers = dict(zip(found, recogniser.predict(found.values()), strict=True))
  assert answers[""].clean
  for name, group in (("defocus_blur", "blur"), ("gaussian_noise", "noise"), ("jpeg", "coding")):
    assert group in [own.group for own in answers[name].groups if own.found], name
