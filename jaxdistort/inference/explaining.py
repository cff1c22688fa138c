"""Why a network says what it says of a picture: class-activation maps, and SGDNet's saliency."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from jaxdistort.errors import InputError
from jaxdistort.inference.recogniser import Recogniser
from jaxdistort.models import Variables, merge_network
from jaxdistort.models.layers import scale_levels
from jaxdistort.models.sgdnet import SGDNetBackbone


class Explanation(NamedTuple):
  """What a network says of pictures, and where that comes from.

  Attributes:
    scores: float32 [B, W], the task's.
    target: int32 [B], the answer (a column of the task's probabilities) that `activation` speaks for.
    activation: float32 [B, h, w], Grad-CAM: at least 0, 0 everywhere where nothing speaks for the answer.
    saliency: float32 [B, h, w], where SGDNet looks; None of other networks.
  """

  scores: Any
  target: Any
  activation: Any
  saliency: Any


Explainer = Callable[[Variables, jax.Array], Explanation]


def make_explainer(recogniser: Recogniser, answer: str | None = None) -> Explainer:
  """Compiles a function of a network's variables and pictures uint8 [B, S, S, 3].

  Grad-CAM (Selvaraju et al. 2017): the last map, each channel weighted by the mean gradient of the
  answer's output, summed over channels, negative values cut off.

  Args:
    recogniser: a network that answers from its last map (all but softmax and multiscale; of the latter,
      `Recogniser.locate` says where).
    answer: to explain, one of the task's `answer_names`; the surest one if None.

  Raises:
    InputError: the network has no such map, or no such answer.
  """
  task = recogniser.task
  name = recogniser.description.network.name
  if not hasattr(merge_network(recogniser.structure, recogniser.variables), "classify"):
    raise InputError(f"{recogniser.path}: {name} does not answer from a map alone, which could show where from")
  target = None if answer is None else task.output_of(answer)

  @jax.jit
  def explain(variables: Variables, images: jax.Array) -> Explanation:
    network = merge_network(recogniser.structure, variables)
    network.eval()
    saliency = None
    if isinstance(getattr(network, "backbone", None), SGDNetBackbone):
      scaled = scale_levels(images, network.input_scaling, network.dtype)
      features, saliency = network.backbone(scaled)
      saliency = saliency.astype(jnp.float32)
    else:
      features = network.features(images)
    outputs = network.classify(features)
    surest = jnp.argmax(task.exported(task.scores(outputs))["probabilities"], -1)
    chosen = surest if target is None else jnp.full(len(images), target)

    def chosen_outputs(features: jax.Array) -> jax.Array:
      return jnp.take_along_axis(network.classify(features), chosen[:, None], 1).sum()

    weights = jax.grad(chosen_outputs)(features).mean((1, 2), keepdims=True)
    activation = nnx.relu((weights * features).sum(-1)).astype(jnp.float32)
    return Explanation(task.scores(outputs), chosen, activation, saliency)

  return explain
