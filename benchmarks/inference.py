"""A network's answers, alone and behind the JPEG step that pictures pass in an evaluation."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from benchmarks.timing import Stopwatch, calling, photographs, rates
from benchmarks.training import without_weights
from jaxdistort.training.checkpoints import load_trained
from jaxdistort.config import TrainConfig
from jaxdistort.distortions import jpeg
from jaxdistort.models import Variables, run_network, split_network
from jaxdistort.runtime.mesh import create_mesh, data_sharding, replicated


def time_inference(
  watch: Stopwatch, *, batch_size: int, config: TrainConfig | None = None, checkpoint: str | None = None
) -> list[dict[str, Any]]:
  """Probabilities of batches of pictures that lie on the device: two rows.

  Args:
    watch: measures.
    batch_size: pictures a call.
    config: of a network that gets random weights.
    checkpoint: of a trained network, in place of a config.

  Raises:
    InputError: the checkpoint cannot be read.
  """
  mesh = create_mesh()
  if checkpoint is not None:
    trained = load_trained(checkpoint, replicated(mesh))
    config, structure, variables = trained.config, trained.structure, trained.variables
  else:
    assert config
    structure, variables = _random_network(config, mesh)
  images = jax.device_put(photographs(batch_size, config.data.image_size), data_sharding(mesh))
  quality = float(config.protocol.jpeg_quality or 75)

  def answer(variables: Variables, images: jax.Array) -> jax.Array:
    return jax.nn.softmax(run_network(structure, variables, images)[0].astype(jnp.float32))

  alone = jax.jit(answer)
  behind_jpeg = jax.jit(lambda v, images: answer(v, jax.vmap(jpeg, (0, None))(images, quality)))
  turns = {
    config.model.name: calling(lambda: alone(variables, images)),
    f"{config.model.name} behind the JPEG step": calling(lambda: behind_jpeg(variables, images)),
  }
  timings = watch.time(turns)
  watch.trace(turns)
  common = {"library": "jaxdistort", "model": config.model.name, "batch_size": batch_size, "size": images.shape[1]}
  return [
    {"op": f"answers of {name}", **common, **rates(timing, batch_size), "seconds_per_batch": timing.median}
    for name, timing in timings.items()
  ]


def _random_network(config: TrainConfig, mesh: jax.sharding.Mesh) -> tuple[nnx.GraphDef, Variables]:
  config = without_weights(config)
  structure, _ = split_network(nnx.eval_shape(lambda: config.create_network(nnx.Rngs(0))))
  draw = jax.jit(lambda: split_network(config.create_network(nnx.Rngs(0)))[1], out_shardings=replicated(mesh))
  return structure, draw()
