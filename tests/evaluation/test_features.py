"""Features: of the pictures that a protocol makes, each beside its own labels."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdistort.data import open_pictures
from jaxdistort.evaluation import judging
from jaxdistort.evaluation.features import _DRAWN_SEED, Features
from jaxdistort.models import merge_network
from jaxdistort.protocols import variable
from jaxdistort.runtime.mesh import create_mesh
from tests.evaluation.test_probing import recogniser_of


@pytest.mark.long
def test_every_row_is_a_picture_of_the_protocol(tmp_path):
  recogniser, protocol = recogniser_of(tmp_path), variable(None)
  features = Features(
    recogniser, protocol, create_mesh(), batch_size=1, workers=0, on_broken=lambda *_: None, scores=True
  )
  network = merge_network(recogniser.structure, recogniser.variables)
  network.eval()

  @jax.jit
  def expected(seed, images):
    samples = protocol.distort(jax.random.key(seed), images)
    means = network.features(samples.images).mean((1, 2))
    return means, recogniser.apply(recogniser.variables, samples.images), samples.presence, samples.visibility

  pictures = open_pictures("tiny", "validation")
  drawn, period = pictures.order(_DRAWN_SEED).numbers(np.arange(100, dtype=np.uint32)), protocol.period
  in_turn = np.repeat(np.arange(len(pictures)), period)
  assert judging.SEED != _DRAWN_SEED
  for seed, numbers, rows in (
    (_DRAWN_SEED, drawn, features.drawn(pictures, 100)),
    (judging.SEED, in_turn, features.of_all(pictures, lambda features: features)),
  ):
    np.testing.assert_array_equal(rows.numbers, numbers)
    wanted = expected(seed, jnp.stack([pictures.load(int(number), 32) for number in numbers]))
    for found, own in zip(rows[1:], wanted, strict=True):
      np.testing.assert_allclose(found, own, rtol=1e-4, atol=1e-4)
