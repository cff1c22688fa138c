"""Why a network says what it says of a picture: class-activation maps, and SGDNet's saliency."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.sharding import SingleDeviceSharding

from jaxdistort.training.checkpoints import load_trained
from jaxdistort.data import BrokenPicture, read_picture, standardise
from jaxdistort.errors import InputError, choose
from jaxdistort.reporting.grids import draw_explanation
from jaxdistort.models import Variables, merge_network
from jaxdistort.models.layers import scale_levels
from jaxdistort.models.sgdnet import SGDNetBase


class Explanation(NamedTuple):
  """What a network says of pictures, and where that comes from.

  Attributes:
    probabilities: float32 [B, K].
    target: int32 [B], the class that `activation` speaks for.
    activation: float32 [B, h, w], Grad-CAM: at least 0, 0 everywhere where nothing speaks for the class.
    saliency: float32 [B, h, w], where SGDNet looks; None of other networks.
  """

  probabilities: Any
  target: Any
  activation: Any
  saliency: Any


Explainer = Callable[[Variables, jax.Array], Explanation]


def make_explainer(structure: nnx.GraphDef, target: int | None = None) -> Explainer:
  """Compiles a function of a network's variables and pictures uint8 [B, S, S, 3].

  Grad-CAM (Selvaraju et al. 2017): the last map, each channel weighted by the mean gradient of the
  class's logit, summed over channels, negative values cut off.

  Args:
    structure: of a network with a last map (all but softmax).
    target: class to explain; the predicted one if None.
  """

  @jax.jit
  def explain(variables: Variables, images: jax.Array) -> Explanation:
    network = merge_network(structure, variables)
    network.eval()
    saliency = None
    if isinstance(getattr(network, "base", None), SGDNetBase):
      scaled = scale_levels(images, network.input_scaling, network.dtype)
      features, saliency = network.base(scaled)
      saliency = saliency.astype(jnp.float32)
    else:
      features = network.features(images)
    logits = network.classify(features)
    chosen = jnp.argmax(logits, -1) if target is None else jnp.full(len(images), target)

    def chosen_logits(features: jax.Array) -> jax.Array:
      return jnp.take_along_axis(network.classify(features), chosen[:, None], 1).sum()

    weights = jax.grad(chosen_logits)(features).mean((1, 2), keepdims=True)
    activation = nnx.relu((weights * features).sum(-1)).astype(jnp.float32)
    return Explanation(jax.nn.softmax(logits), chosen, activation, saliency)

  return explain


class Explained(NamedTuple):
  """A picture that was explained, or could not be.

  Attributes:
    picture: its path.
    figure: the figure's path; None if the picture could not be read.
    message: the most probable classes, or what is wrong with the picture.
  """

  picture: Path
  figure: Path | None
  message: str


def explain_pictures(
  checkpoint: str | Path,
  pictures: Sequence[Path],
  *,
  output: Path,
  class_name: str | None = None,
  weights: str | None = None,
  on_done: Callable[[Explained], Any] = lambda explained: None,
) -> list[Explained]:
  """Draws for each picture, side by side: the picture as the network sees it, and where its answer comes from.

  Args:
    checkpoint: a run's folder (its best checkpoint), or one checkpoint.
    pictures: files.
    output: folder for a PNG a picture.
    class_name: whose evidence is shown; of each picture's most probable class if None.
    weights: of the base of a transfer network, where they are not where the training found them.
    on_done: told of each picture.

  Raises:
    InputError: a checkpoint, class or weights that cannot be used.
  """
  trained = load_trained(checkpoint, SingleDeviceSharding(jax.devices()[0]), weights)
  if trained.config.model.name == "softmax":
    raise InputError(f"checkpoint {checkpoint}: softmax has no map to show where its answer comes from")
  names = trained.config.create_protocol().class_names
  target = names.index(choose("class", class_name, names)) if class_name else None
  explain = make_explainer(trained.structure, target)
  output.mkdir(parents=True, exist_ok=True)
  results: list[Explained] = []
  for path in pictures:
    try:
      image = standardise(read_picture(path), trained.config.data.image_size)
    except BrokenPicture as error:
      explained = Explained(path, None, str(error))
    else:
      explanation = jax.device_get(explain(trained.variables, jnp.asarray(image[None])))  # sync point
      one = jax.tree.map(lambda values: values[0], explanation)
      best = np.argsort(-one.probabilities)[:3]
      message = ", ".join(f"{names[i].replace('_', ' ')} {one.probabilities[i]:.1%}" for i in best)
      figure = _free_name(output, path.stem, {result.figure for result in results})
      maps = {f"evidence for {names[one.target].replace('_', ' ')} (Grad-CAM)": one.activation}
      if one.saliency is not None:
        maps = {"where SGDNet looks (saliency)": one.saliency} | maps
      draw_explanation(image, maps, f"{_short(path.name)}\n{message}", figure)
      explained = Explained(path, figure, message)
    results.append(explained)
    on_done(explained)
  return results


def _short(name: str) -> str:
  printable = name.encode(errors="replace").decode()
  return printable if len(printable) <= 60 else f"{printable[:40]}…{printable[-19:]}"


def _free_name(folder: Path, stem: str, taken: set[Path | None]) -> Path:
  """A name that no picture of this call has; figures of earlier calls are replaced."""
  numbers = (f"{stem}_explained{'' if i == 1 else f'_{i}'}.png" for i in range(1, len(taken) + 2))
  return next(folder / name for name in numbers if folder / name not in taken)
