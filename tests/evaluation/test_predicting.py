"""Predictions: every original once in every slot of the protocol, the same however the work is divided."""

import jax
import numpy as np
import pytest
from flax import nnx
from jax.sharding import Mesh

from jaxdistort.data import open_pictures
from jaxdistort.evaluation import make_predictor
from jaxdistort.models import create_model, split_network
from jaxdistort.protocols import variable
from jaxdistort.sharding import DATA_AXIS, replicated


def _predict(folder, *, devices, batch_size, workers=0):
  mesh = Mesh(np.array(jax.devices()[:devices]), (DATA_AXIS,))
  with jax.numpy_dtype_promotion("standard"):
    network = create_model("compact", 3, image_size=32, rngs=nnx.Rngs(0))
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
    )
    predictions, examples = predict(variables, pictures, done.append)
  return predictions, examples, broken, sum(done)


@pytest.mark.slow
def test_every_picture_counts_once_however_the_work_is_divided(folder_of_photographs):
  alone, examples, broken, done = _predict(folder_of_photographs, devices=1, batch_size=30)
  assert done == 40
  assert sorted(name.rsplit("/")[-1] for name in broken) == ["empty.jpg", "truncated.png"]
  assert alone.labels.tolist() == [0, 1, 1, 1, 1, 2, 2, 2, 2] * 38
  numbers, counts = np.unique(alone.numbers, return_counts=True)
  assert len(numbers) == 38
  assert set(counts) == {9}
  assert examples.shape == (28, 32, 32, 3)
  radius = alone.parameters["gaussian_blur.radius"]
  np.testing.assert_array_equal(np.isfinite(radius), alone.labels == 1)

  shared, *_ = _predict(folder_of_photographs, devices=8, batch_size=100)
  np.testing.assert_array_equal(shared.numbers, alone.numbers)
  np.testing.assert_array_equal(shared.parameters["gaussian_noise.amount"], alone.parameters["gaussian_noise.amount"])
  np.testing.assert_allclose(shared.log_probabilities, alone.log_probabilities, atol=1e-4)
