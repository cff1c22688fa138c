"""Pictures of any size before a recogniser: the scale at which they are looked at, and what cannot be told."""

import jax
import numpy as np
import pytest
from PIL import Image

from jaxdistort.errors import InputError
from jaxdistort.inference import Description, Recogniser
from jaxdistort.models import NetworkSpec
from jaxdistort.protocols import pairs
from jaxdistort.tasks import LabelSpace, Recognition
from tests.models.networks import made_up


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory):
  task = Recognition(LabelSpace(("gaussian_noise", "jpeg"), ("noise", "coding")))
  spec = NetworkSpec("multiscale", task.width, 32)
  structure, variables = made_up(spec)
  description = Description(spec, task, pairs().describe(), "samples", task.view)
  return Recogniser(
    description, structure, jax.device_put(variables, jax.devices()[0]), tmp_path_factory.mktemp("r"), 0
  )


def _noise(height, width):
  return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


@pytest.mark.long
def test_a_large_picture_is_judged_at_the_viewing_scale_and_by_its_own_pixels(recogniser):
  large = _noise(70, 1280)
  answer, small = recogniser.predict([large, _noise(70, 640)])
  assert small.native is None
  shrunk = recogniser.predict(large.resize((640, 35), Image.Resampling.BICUBIC, reducing_gap=3.0))
  assert answer._replace(native=None) == shrunk
  alone = recogniser.predict(large, view="native")
  assert [own.probability for own in answer.native.findings] == pytest.approx(
    [own.probability for own in alone.findings], abs=1e-5
  )


@pytest.mark.parametrize(
  ("picture", "why"),
  [
    (_noise(31, 200), "too small: 200 x 31 pixels, at least 32 x 32 are needed"),
    (_noise(40, 1600), "too small: 1600 x 40 pixels, looked at as 640 x 16, at least 32 x 32 are needed"),
    (Image.new("RGB", (100, 80)), "flat: nothing is shown by which it could be judged"),
    (Image.new("RGB", (1300, 80), "white"), "flat: nothing is shown by which it could be judged"),
  ],
)
def test_what_cannot_be_told_is_said_to_be_so(recogniser, picture, why):
  answer = recogniser.predict(picture)
  assert answer.unclear == why
  assert not answer.clean
  assert not any(own.found or own.doubtful for own in answer.groups)
  assert not any(own.found for own in answer.findings)
  assert not answer.clean


def test_what_is_shown_in_one_colour_is_not_flat(recogniser):
  levels = np.zeros((64, 64, 3), np.uint8)
  levels[..., 0] = np.asarray(_noise(64, 64))[..., 0]
  assert recogniser.predict(Image.fromarray(levels)).unclear == ""


def test_flat_tiles_weigh_nothing(recogniser):
  noise = _noise(32, 32)
  wide = Image.new("RGB", (96, 32))
  wide.paste(noise, (64, 0))
  assert recogniser.predict(wide).probability_clean == pytest.approx(
    recogniser.predict(noise).probability_clean, abs=1e-5
  )


def test_a_model_file_keeps_the_view_and_the_calibration(recogniser, tmp_path):
  import jaxdistort

  again = jaxdistort.load(recogniser.save(tmp_path / "model.safetensors"))
  assert again.description.view == "viewing"
  assert again.task.calibration == recogniser.task.calibration
  picture = _noise(50, 70)
  assert again.predict(picture) == recogniser.predict(picture)


def test_a_map_says_where(recogniser):
  noise = _noise(32, 100)
  wide = Image.new("RGB", (200, 32))
  wide.paste(noise, (100, 0))
  maps = recogniser.locate(wide)
  assert maps.of_kinds.shape == (1, 18, 2)
  columns = maps.centres[0, :, 1] * 200
  assert np.isnan(maps.of("noise")[0, columns < 80]).all()
  inside = np.flatnonzero(columns > 120)
  assert np.isfinite(maps.of("jpeg")[0, inside]).all()
  left = round(float(columns[inside[0]])) - 16
  alone = recogniser.predict(wide.crop((left, 0, left + 32, 32)))
  assert maps.of("noise")[0, inside[0]] == pytest.approx(
    next(own.probability for own in alone.groups if own.group == "noise"), abs=1e-5
  )
  with pytest.raises(InputError, match="map: 'fog' is none of noise, coding, gaussian_noise, jpeg"):
    maps.of("fog")
