"""The measurement of perceptual severities, on a few small pictures."""

import json

import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import severity
from jaxdistort.distortions import DISTORTIONS
from jaxdistort.distortions.severities import perceptual


@pytest.fixture(scope="module")
def scale(photographs):
  return severity.measure_scale("monochrome_noise", photographs[:, :32, :32])


@pytest.mark.long
def test_a_scale_rises_evenly(scale):
  severities = np.array(scale.severities)
  assert severities[0] == 0
  assert np.all(np.diff(severities) > 0)
  amounts = np.array(scale.parameters["amount"])
  assert amounts[0] == 0
  assert np.all(np.diff(amounts) >= 0)
  loss = 1 - np.array(scale.ssim) * (1 - np.minimum(np.array(scale.difference) / 50, 1))
  np.testing.assert_allclose(loss, perceptual.LOSS_AT_ONE * severities**2, atol=0.05)
  assert 0 < scale.visible < 0.5


@pytest.mark.parametrize("name", DISTORTIONS)
def test_severity_and_parameters_are_each_other_s_inverse(name):
  highest = perceptual.SCALES[name].severities[-1] if name in perceptual.SCALES else 1
  own = DISTORTIONS[name]
  severities = jnp.linspace(0, highest, 23)
  parameters = perceptual.graded_parameters(name, severities)
  assert list(parameters) == list(own.graded)
  for graded, values in parameters.items():
    parameter = own.parameter(graded)
    assert values[0] == pytest.approx(parameter.weakest)
    assert np.all((np.asarray(values) >= parameter.low - 1e-3) & (np.asarray(values) <= parameter.high + 1e-3))
    steps = np.diff(values) * np.sign(parameter.strongest - parameter.weakest)
    assert np.all(steps >= 0)
  if not own.parameter(own.graded[0]).whole:
    np.testing.assert_allclose(perceptual.severity_of(name, parameters), severities, atol=0.06)


def test_a_shift_down_is_as_severe_as_one_up():
  up, down = (float(perceptual.severity_of("mean_shift", {"shift": jnp.float32(shift)})) for shift in (40, -40))
  assert down == up > 0.1


@pytest.mark.long
def test_tables_are_written_beside_what_is_there(tmp_path, monkeypatch, capsys, scale):
  monkeypatch.setattr(severity, "SCALES", tmp_path / "scales.json")
  monkeypatch.setattr(severity, "measure_scale", lambda name, images: scale)
  (tmp_path / "scales.json").write_text(json.dumps({"jpeg": {"visible": 0.5}, "gone": {}}))
  severity.main(["--data", "synthetic", "--distortions", "gaussian_blur", "--count", "8", "--size", "32"])
  table = json.loads((tmp_path / "scales.json").read_text())
  assert list(table) == ["gaussian_blur", "jpeg"]
  assert table["jpeg"] == {"visible": 0.5}
  assert "gaussian_blur: highest severity" in capsys.readouterr().out
