"""Predictions: every original once in every slot of the protocol, the same however the work is divided."""

import jax
import numpy as np
import pytest
from flax import nnx
from skimage import metrics

from jaxdistort.data import open_pictures
from jaxdistort.evaluation import make_predictor
from jaxdistort.models import create_model, split_network
from jaxdistort.protocols import six, variable
from jaxdistort.runtime.mesh import create_mesh, replicated

_SSIM = {"channel_axis": 2, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


def _clean(folder, number):
  return open_pictures(f"folder:{folder}", "all").load(int(number), 32)


def _predict(folder, *, devices, batch_size, workers=0, classes=3, labels=None):
  mesh = create_mesh(devices=jax.devices()[:devices])
  with jax.numpy_dtype_promotion("standard"):
    network = create_model("compact", classes, image_size=32, rngs=nnx.Rngs(0))
  structure, variables = split_network(network)
  variables = jax.device_put(variables, replicated(mesh))
  pictures, broken, done = open_pictures(f"folder:{folder}", "all"), [], []
  with jax.numpy_dtype_promotion("standard"):
    predict = make_predictor(
      structure,
      variable(None),
      mesh,
      image_size=32,
      batch_size=batch_size,
      workers=workers,
      on_broken=lambda pictures, numbers: broken.extend(map(pictures.name, numbers)),
      measure=True,
      labels=labels,
    )
    outcome = predict(variables, pictures, done.append)
  return outcome, broken, sum(done)


@pytest.mark.slow
def test_every_picture_counts_once_however_the_work_is_divided(folder_of_photographs):
  outcome, broken, done = _predict(folder_of_photographs, devices=1, batch_size=30)
  alone = outcome.predictions
  assert done == 40
  assert sorted(name.rsplit("/")[-1] for name in broken) == ["empty.jpg", "truncated.png"]
  assert alone.labels.tolist() == [0, 1, 1, 1, 1, 2, 2, 2, 2] * 38
  numbers, counts = np.unique(alone.numbers, return_counts=True)
  assert len(numbers) == 38
  assert set(counts) == {9}
  assert [shown.row for shown in outcome.first] == list(range(28))
  mistakes = np.flatnonzero(alone.answers != alone.labels)
  assert len(outcome.worst) == min(20, len({(alone.originals[row], alone.labels[row]) for row in mistakes}))
  losses = [alone.losses[shown.row] for shown in outcome.worst]
  assert losses == sorted(losses, reverse=True)
  assert losses[0] == alone.losses[mistakes].max()
  for shown in outcome.worst:
    expected = _clean(folder_of_photographs, alone.numbers[shown.row])
    np.testing.assert_array_equal(shown.reference, expected)
    similarity = metrics.structural_similarity(expected, shown.image, **_SSIM)
    assert alone.ssim[shown.row] == pytest.approx(similarity, abs=1e-5)
    with np.errstate(divide="ignore"):
      assert alone.psnr[shown.row] == pytest.approx(metrics.peak_signal_noise_ratio(expected, shown.image))
  radius = alone.parameters["gaussian_blur.radius"]
  np.testing.assert_array_equal(np.isfinite(radius), alone.labels == 1)

  (shared, *_), *_ = _predict(folder_of_photographs, devices=8, batch_size=100)
  np.testing.assert_array_equal(shared.numbers, alone.numbers)
  np.testing.assert_array_equal(shared.parameters["gaussian_noise.amount"], alone.parameters["gaussian_noise.amount"])
  np.testing.assert_allclose(shared.log_probabilities, alone.log_probabilities, atol=1e-4)
  np.testing.assert_allclose(shared.ssim, alone.ssim, atol=1e-6)


@pytest.mark.slow
def test_the_worst_mistakes_are_mistakes_by_the_networks_own_numbers(folder_of_photographs):
  """A network of `six` judged on `variable`: noise has another number there."""
  known = six(None).class_names
  labels = np.array([known.index(name) for name in variable(None).class_names])
  assert labels.tolist() != [0, 1, 2]
  outcome, *_ = _predict(folder_of_photographs, devices=1, batch_size=90, classes=len(known), labels=labels)
  predictions = outcome.predictions
  assert predictions.labels.tolist() == [labels[k] for k in (0, 1, 1, 1, 1, 2, 2, 2, 2)] * 38
  rows = [shown.row for shown in outcome.worst]
  assert rows
  assert (predictions.answers[rows] != predictions.labels[rows]).all()
  wrong = np.flatnonzero(predictions.answers != predictions.labels)
  assert predictions.losses[rows[0]] == predictions.losses[wrong].max()
