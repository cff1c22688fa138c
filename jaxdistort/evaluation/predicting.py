"""What a network says of distorted pictures: every original in every class of the protocol, once."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.sharding import Mesh

from jaxdistort.data import CleanBatch, PictureSet, evaluation_batches
from jaxdistort.errors import InputError
from jaxdistort.models import Variables, run_network
from jaxdistort.protocols import Protocol, Samples, distort_sharded
from jaxdistort.sharding import data_sharding

_SEED = 20_000_003  # of every evaluation: all models are judged on the same distorted pictures
_EXAMPLES = 28


class Predictions(NamedTuple):
  """One row per distorted picture.

  Attributes:
    numbers: int64 [N], the original's number within the `PictureSet`.
    labels: int32 [N].
    log_probabilities: float32 [N, K].
    parameters: "class.parameter" -> float32 [N], NaN on other classes.
  """

  numbers: np.ndarray
  labels: np.ndarray
  log_probabilities: np.ndarray
  parameters: dict[str, np.ndarray]


Predictor = Callable[[Variables, PictureSet, Callable[[int], Any]], tuple[Predictions, np.ndarray]]


def make_predictor(
  structure: nnx.GraphDef,
  protocol: Protocol,
  mesh: Mesh,
  *,
  image_size: int,
  batch_size: int,
  workers: int,
  on_broken: Callable[[PictureSet, np.ndarray], None],
) -> Predictor:
  """Builds a function `(variables, pictures, on_progress)` that compiles once.

  It returns `Predictions`, and the first few of the distorted pictures, uint8 [n, S, S, 3].

  Each original is decoded once and appears once per slot of the protocol's period, so the classes
  stand in the protocol's shares and every picture counts; broken ones are left out. `on_progress` is
  told how many originals a batch held, when it is done.

  It raises InputError if none of the pictures can be read.

  Args:
    structure: of the network.
    protocol: distorts.
    mesh: over whose devices batches are split.
    image_size: side of the pictures in pixels.
    batch_size: distorted pictures a batch, about.
    workers: decoding processes.
    on_broken: told the numbers of pictures that could not be read.
  """
  distort = distort_sharded(protocol, mesh)
  devices = mesh.devices.size
  originals = -(-max(1, batch_size // protocol.period) // devices) * devices

  @jax.jit
  def predict_batch(variables: Variables, images: jax.Array, first: jax.Array) -> tuple[Samples, Any]:
    every_class = jnp.repeat(images, protocol.period, axis=0)
    samples = distort(jax.random.key(_SEED), every_class, first * jnp.uint32(protocol.period))
    logits, _ = run_network(structure, variables, samples.images)
    return samples, jax.nn.log_softmax(logits)

  def predict(
    variables: Variables, pictures: PictureSet, on_progress: Callable[[int], Any] = lambda count: None
  ) -> tuple[Predictions, np.ndarray]:
    rows: list[Predictions] = []
    examples: list[np.ndarray] = []
    pending = None

    def collect(batch: CleanBatch, samples: Samples, log_probabilities: jax.Array) -> None:
      on_broken(pictures, batch.broken[batch.broken >= 0])
      numbers = np.repeat(batch.numbers, protocol.period)
      valid = (numbers >= 0) & np.repeat(batch.broken < 0, protocol.period)
      every = Predictions(numbers, *jax.device_get((samples.labels, log_probabilities, samples.parameters)))
      rows.append(jax.tree.map(lambda x: x[valid], every))
      if sum(map(len, examples)) < _EXAMPLES:
        examples.append(np.asarray(samples.images)[valid])
      on_progress(int(np.sum(batch.numbers >= 0)))

    options = {"size": image_size, "batch_size": originals, "workers": workers, "sharding": data_sharding(mesh)}
    with evaluation_batches(pictures, **options) as batches:
      for index, batch in enumerate(batches):
        outputs = predict_batch(variables, batch.images, jnp.uint32(index * originals))
        if pending:
          collect(*pending)  # a sync point, one batch behind, so that the device never waits for the host
        pending = batch, *outputs
    if pending:
      collect(*pending)
    if not any(len(row.labels) for row in rows):
      raise InputError(f"data source {pictures.spec}: none of its {len(pictures)} pictures here can be read")
    return jax.tree.map(lambda *parts: np.concatenate(parts), *rows), np.concatenate(examples)[:_EXAMPLES]

  return predict
