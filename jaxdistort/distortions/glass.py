"""Glass blur: pixels are exchanged with neighbours at random, between two Gaussian blurs."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxdistort.distortions.backend import compiled, lookup, stored
from jaxdistort.distortions.checks import bounded, check_image, known
from jaxdistort.distortions.filtering import at_least, filter_axes, truncated_taps
from jaxdistort.distortions.randomness import random_words
from jaxdistort.distortions.registry import Distortion, Parameter, register
from jaxdistort.distortions.sampling import joined, picture, split

_LARGEST_SIGMA, _FARTHEST, _MOST_ROUNDS = 3, 8, 8
_DOUBLINGS = 5  # hold chains of 32 copies: a longer one comes once in 2^32 pixels


def glass_blur(key: jax.Array, image: jax.Array, sigma: Any, reach: Any, rounds: Any) -> jax.Array:
  """Blurs, has pixels take the colour of others nearby, and blurs again, as glass with an uneven surface does.

  In a round the pixels that are farther than `reach` from the edges, from the last one to the first, each take the
  colour that the pixel (dx, dy) away has by then, dx and dy uniform over -reach..reach - 1. Where `reach` is not whole,
  each pixel has one of the two whole numbers next to it; where `rounds` is not, a share of the pixels takes part in the
  last one. Both blurs are Gaussian, cut off at 4 sigma, and end in whole levels; edge pixels are repeated.

  Args:
    key: a PRNG key of any implementation.
    image: uint8 [H, W, 3].
    sigma: of both blurs in pixels, 0..3; traced.
    reach: of the displacements in pixels, 0..8; traced.
    rounds: of displacements, 0..8; traced.

  Returns:
    uint8 [H, W, 3]. Where parameters are traced, one outside its bounds gives the picture of the nearest bound, and NaN
    a black picture.

  Raises:
    ValueError: a concrete parameter is outside its bounds.

  Source: ImageNet-C's glass_blur. It means to swap two pixels, but swaps views of them, and so copies the second into
  the first; the copies run one after the other there, and all at once here, with the same result.
  """
  check_image("glass_blur", image)
  sigma = bounded("glass_blur", "sigma", sigma, 0, _LARGEST_SIGMA, "px")
  reach = bounded("glass_blur", "reach", reach, 0, _FARTHEST, "px")
  return _glass_blur(key, image, sigma, reach, bounded("glass_blur", "rounds", rounds, 0, _MOST_ROUNDS))


register(
  Distortion(
    "glass_blur",
    glass_blur,
    (
      Parameter("sigma", "px", 0, _LARGEST_SIGMA, 1, weakest=0),
      Parameter("reach", "px", 0, _FARTHEST, 2, weakest=0),
      Parameter("rounds", "", 0, _MOST_ROUNDS, 2, weakest=0),
    ),
    random=True,
    graded=("sigma", "reach", "rounds"),
    group="blur",
  )
)


@compiled(group_on_cpu=1)
def _glass_blur(key: jax.Array, image: jax.Array, sigma: jax.Array, reach: jax.Array, rounds: jax.Array) -> jax.Array:
  sigma, reach, rounds, brightest = known(sigma, reach, rounds)
  height, width, _ = image.shape

  def blurred(planes: jax.Array) -> jax.Array:
    def smoothed(size: int, planes: jax.Array) -> jax.Array:
      taps = truncated_taps(sigma, 4, size)
      return filter_axes(planes, taps)

    levels = at_least(4 * sigma + 0.5, (6, 13), smoothed, planes)
    return jnp.floor(jnp.minimum(levels, brightest) + 0.5)

  def move(turn: jax.Array, words: jax.Array) -> jax.Array:
    share = rounds - turn.astype(jnp.float32)
    targets = _targets(jax.random.fold_in(key, turn), height, width, reach, share)
    return lookup(words, _followed(targets))

  words = joined(blurred(jnp.moveaxis(image, -1, 0).astype(jnp.float32)), 8).reshape(-1)
  words = lax.fori_loop(0, jnp.ceil(rounds).astype(jnp.int32), move, words)
  return picture(stored(lambda planes: joined(planes, 8), blurred(jnp.stack(split(words.reshape(height, width), 8)))))


def _targets(key: jax.Array, height: int, width: int, reach: jax.Array, share: jax.Array) -> jax.Array:
  """What every pixel copies, in a round in which a share of them (1 and more: all) takes part: indices int32 [H W]."""
  places, chances = jnp.split(random_words(key, 2 * height * width, stream=0), 2)

  def halves(words: jax.Array) -> tuple[jax.Array, jax.Array]:
    return (words & np.uint32(0xFFFF)).astype(jnp.int32), (words >> np.uint32(16)).astype(jnp.int32)

  far, taking_part = (half.astype(jnp.float32) * np.float32(2.0**-16) for half in halves(chances))
  own_reach = jnp.floor(reach + far).astype(jnp.int32)
  dx, dy = (((half * (2 * own_reach)) >> 16) - own_reach for half in halves(places))
  own = jnp.arange(height * width, dtype=jnp.int32)
  margin = jnp.ceil(reach).astype(jnp.int32)
  row, column = own // width, own % width
  inside = (row > margin) & (row <= height - margin) & (column > margin) & (column <= width - margin)
  moved = inside & (taking_part < share) & (own_reach > 0)
  return jnp.where(moved, own + dy * width + dx, own)


def _followed(targets: jax.Array) -> jax.Array:
  """The pixels whose colours end at each, if all copy their targets one after the other from the last one on.

  A target that lies after the pixel has copied its own before, and so forth: a chain, which ends at a target before
  its pixel. Chains double their length with every look-up.
  """
  later = targets > jnp.arange(targets.size, dtype=jnp.int32)
  links = 2 * targets + later.astype(jnp.int32)  # the lowest bit: the chain goes on

  def double(_: jax.Array, links: jax.Array) -> jax.Array:
    return jnp.where(links & 1 == 1, lookup(links, links >> 1), links)

  return lax.fori_loop(0, _DOUBLINGS, double, links) >> 1
