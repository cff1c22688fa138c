"""Measures the perceptual severities of distortions, and what hides what, on photographs.

python -m benchmarks.severity --data folder:photos
python -m benchmarks.severity --data folder:photos --distortions fog snow
python -m benchmarks.severity --data folder:photos --masking
python -m benchmarks.severity --data folder:photos --rises --count 50

The tables are data of the package: `distortions/severities/perceptual.json`, `protocols/masking.json`. A run writes
them anew, distortion by distortion; what it does not measure stays. Which loss is measured: `severities.perceptual`.
"""

import argparse
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import PartitionSpec as P
from sklearn.isotonic import isotonic_regression

from jaxdistort.data import open_pictures
from jaxdistort.distortions import DISTORTIONS, Distortion, jpeg
from jaxdistort.distortions.colour_spaces import to_lab
from jaxdistort.distortions.filtering import smooth
from jaxdistort.distortions.severities import perceptual
from jaxdistort.files import write_whole
from jaxdistort.metrics.similarity import ssim
from jaxdistort.runtime.mesh import DATA_AXES, create_mesh

_PACKAGE = Path(perceptual.__file__).parents[2]
SCALES, MASKING = _PACKAGE / "distortions/severities/perceptual.json", _PACKAGE / "protocols/masking.json"
_SEVERITIES = np.linspace(0, 1, 21)
_STEPS = np.linspace(0, 1, 29) ** 3  # of the way from the weakest to the strongest
_MASKED_BY = {  # a distortion that stands for its group
  "blur": "defocus_blur",
  "noise": "gaussian_noise",
  "coding": "jpeg",
  "light": "low_contrast",
  "colour": "colour_cast",
  "resolution": "pixelate",
  "processing": "sharpen",
  "warp": "elastic",
}


class Measured(NamedTuple):
  """SSIM, mean difference in CIELAB, and the loss; float32 []."""

  ssim: jax.Array
  difference: jax.Array
  loss: jax.Array


def _compare(reference: jax.Array, image: jax.Array) -> Measured:
  """Of pictures uint8 [H, W, 3]."""
  colours = [smooth(to_lab(jnp.moveaxis(own, -1, 0)), jnp.float32(2), 6) for own in (reference, image)]
  difference = jnp.mean(jnp.sqrt(jnp.sum(jnp.square(colours[0] - colours[1]), axis=0)))
  similarity = ssim(reference, image)
  return Measured(similarity, difference, 1 - similarity * (1 - jnp.minimum(difference / 50, 1)))


def _drawn(distortion: Distortion, key: jax.Array, graded: Mapping[str, jax.Array]) -> dict[str, jax.Array]:
  """Every parameter: the graded ones as given, the others as the registry draws them."""
  own = {}
  for place, parameter in enumerate(distortion.parameters):
    drawn = parameter.drawn
    value = jnp.float32(parameter.default) if drawn is None else drawn.draw(jax.random.fold_in(key, place))
    own[parameter.name] = graded.get(parameter.name, value)
  return own


def _apply(name: str, key: jax.Array, image: jax.Array, graded: Mapping[str, jax.Array]) -> jax.Array:
  own = DISTORTIONS[name]
  return own(key, image, **_drawn(own, jax.random.fold_in(key, 1), graded))


def _over_pictures(measure: Callable[..., tuple[jax.Array, ...]], images: np.ndarray) -> Callable[..., np.ndarray]:
  """`measure(key, image, *more)` as means over the pictures, float [n]; every device takes a share of them."""
  mesh = create_mesh()
  keys = jax.random.split(jax.random.key(0), len(images))

  def local(keys: jax.Array, images: jax.Array, more: tuple[jax.Array, ...]) -> jax.Array:
    own = jax.vmap(lambda key, image: jnp.stack(measure(key, image, *more)))(keys, images)
    return jax.lax.pmean(jnp.mean(own, axis=0), DATA_AXES)

  parts = (P(DATA_AXES), P(DATA_AXES), P())
  program = jax.jit(jax.shard_map(local, mesh=mesh, in_specs=parts, out_specs=P(), check_vma=False))
  return lambda *more: np.asarray(program(keys, images, more), np.float64)


def measure_scale(name: str, images: np.ndarray) -> perceptual.Scale:
  """The scale of a distortion.

  Args:
    name: in `DISTORTIONS`.
    images: clean photographs uint8 [B, H, W, 3]; B is a multiple of the number of devices.
  """
  own = DISTORTIONS[name]
  graded = {n: own.parameter(n) for n in own.graded}

  def values_at(steps: np.ndarray) -> dict[str, np.ndarray]:
    ends = {n: (p.weakest, p.strongest) for n, p in graded.items()}
    values = {n: low + (high - low) * steps for n, (low, high) in ends.items()}
    return {n: np.round(v) if graded[n].whole else v for n, v in values.items()}

  of_pictures = _over_pictures(lambda key, image, at: _compare(image, _apply(name, key, image, at)), images)
  behind_jpeg = _over_pictures(
    lambda key, image, at: (ssim(jpeg(image, 90), jpeg(_apply(name, key, image, at), 90)),), images
  )

  def measured_at(measure: Callable[..., np.ndarray], steps: np.ndarray) -> np.ndarray:
    values = values_at(steps)
    return np.array([measure({n: np.float32(v[i]) for n, v in values.items()}) for i in range(len(steps))]).T

  losses, steps = np.empty(0), np.empty(0)
  new = _STEPS
  for _ in range(2):  # once evenly, once where the severities lie
    losses, steps = np.append(losses, measured_at(of_pictures, new)[2]), np.append(steps, new)
    order = np.argsort(steps, stable=True)
    losses, steps = losses[order], steps[order]
    rising = isotonic_regression(losses) - losses.min()
    rising[0] = 0
    highest = min(1.0, float(np.sqrt(rising[-1] / perceptual.LOSS_AT_ONE)))
    severities = np.append(_SEVERITIES[highest - 0.02 > _SEVERITIES], highest)
    distinct = np.append(np.diff(rising) > 1e-6, True)  # the last of each plateau
    new = np.interp(perceptual.LOSS_AT_ONE * severities**2, rising[distinct], steps[distinct])
    new[0] = 0
  similarity, difference, _ = measured_at(of_pictures, new)
  coded = measured_at(behind_jpeg, new)[0]
  seen = np.maximum.accumulate(coded[0] - coded)
  return perceptual.Scale(
    tuple(np.round(severities, 4).tolist()),
    {n: tuple(float(f"{v:.5g}") for v in values) for n, values in values_at(new).items()},
    round(max(0.05, float(np.interp(0.01, seen, severities))), 4),
    tuple(np.round(similarity, 4).tolist()),
    tuple(np.round(difference, 3).tolist()),
  )


def measure_masking(images: np.ndarray, side: int = 5) -> dict[str, dict[str, list[list[float]]]]:
  """The share of the loss of a group's distortion that a later one of a group leaves, at `side` severities each."""
  severities = np.linspace(0, 1, side).astype(np.float32)

  def left(first: str, later: str) -> list[list[float]]:
    def measure(key: jax.Array, image: jax.Array, strengths: jax.Array) -> tuple[jax.Array, ...]:
      late = jax.random.fold_in(key, 2)
      before = _apply(first, key, image, perceptual.graded_parameters(first, strengths[0]))
      masks = perceptual.graded_parameters(later, strengths[1])
      both, alone = (_apply(later, late, own, masks) for own in (before, image))
      together, single = _compare(alone, both), _compare(image, before)
      return together.loss, single.loss

    program = _over_pictures(measure, images)
    shares = np.ones((side, side))
    for i in range(1, side):
      for j in range(1, side):
        together, single = program(np.stack([severities[i], severities[j]]))
        shares[i, j] = np.clip(together / max(single, 1e-6), 0, 1)
    shares[0] = shares[1]
    return np.round(shares, 3).tolist()

  kinds = {group: name for group, name in _MASKED_BY.items() if name in DISTORTIONS}
  return {g: {h: left(first, later) for h, later in kinds.items()} for g, first in kinds.items()}


def count_rises(name: str, images: np.ndarray) -> tuple[int, float]:
  """Of all steps between 11 severities of all pictures: how many raise the SSIM by over .001, and the largest rise."""
  own = jax.vmap(lambda key, image, at: ssim(image, _apply(name, key, image, at)), (0, 0, None))
  keys, program = jax.random.split(jax.random.key(0), len(images)), jax.jit(own)
  steps = [perceptual.graded_parameters(name, jnp.float32(s)) for s in np.linspace(0, 1, 11)]
  rises = np.diff([np.asarray(program(keys, images, at)) for at in steps], axis=0)
  return int(np.sum(rises > 1e-3)), float(rises.max())


def main(words: Sequence[str] | None = None) -> None:
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("--data", required=True, help="clean photographs, such as folder:photos")
  parser.add_argument("--distortions", nargs="+", choices=DISTORTIONS, default=list(DISTORTIONS), metavar="NAME")
  parser.add_argument("--masking", action="store_true", help="what hides what, instead of the scales")
  parser.add_argument("--rises", action="store_true", help="where a higher severity has a higher SSIM, instead")
  parser.add_argument("--count", type=int, default=24, help="photographs (24)")
  parser.add_argument("--size", type=int, default=192, help="their side, px (192)")
  arguments = parser.parse_args(words)
  pictures = open_pictures(arguments.data, "all")
  chosen = np.linspace(0, len(pictures) - 1, arguments.count).astype(int)
  images = np.stack([pictures.load(int(i), arguments.size) for i in chosen])
  if arguments.masking:
    write_whole(MASKING, json.dumps(measure_masking(images)) + "\n")
    return
  if arguments.rises:
    for name in arguments.distortions:
      rises, most = count_rises(name, images)
      print(f"{name}: {rises} of {10 * len(images)} steps rise, by {max(most, 0):.4f} at most", flush=True)
    return
  for name in arguments.distortions:
    scale = measure_scale(name, images)
    table = {k: v for k, v in json.loads(SCALES.read_text()).items() if k in DISTORTIONS} | {name: scale._asdict()}
    rows = ",\n".join(f"{json.dumps(k)}: {json.dumps(table[k])}" for k in DISTORTIONS if k in table)
    write_whole(SCALES, f"{{\n{rows}\n}}\n")
    print(f"{name}: highest severity {scale.severities[-1]:.2f}, visible from {scale.visible:.2f}", flush=True)


if __name__ == "__main__":
  jax.config.update("jax_num_cpu_devices", os.cpu_count() or 1)  # each takes a share of the pictures
  main()
