"""What is one function of the level: evaluated once for each of the 256, then looked up."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from jaxdistort.distortions.backend import in_tiles, lookup
from jaxdistort.distortions.colour_spaces import rounded


def through_table(image: jax.Array, function: Callable[[jax.Array], jax.Array]) -> jax.Array:
  """Applies a function to every level of a picture.

  Args:
    image: uint8 [H, W, 3].
    function: maps int32 levels [m] to float32 levels [m], which are rounded.

  Returns:
    uint8 [H, W, 3].
  """
  # In tiles, as XLA would evaluate the function for every value of the picture otherwise.
  table = in_tiles(lambda level: rounded(function(level)), 256, tiles=2)
  return lookup(table, image.reshape(-1).astype(jnp.int32)).reshape(image.shape)


def through_tables(image: jax.Array, function: Callable[[jax.Array, jax.Array], jax.Array]) -> jax.Array:
  """`through_table` with a function of the level and the channel, int32 [m] both."""
  table = in_tiles(lambda place: rounded(function(place % 256, place // 256)), 3 * 256, tiles=2)
  height, width, _ = image.shape
  channels = jnp.asarray(np.tile(np.arange(3) * 256, width), jnp.int32)
  rows = image.reshape(height, 3 * width).astype(jnp.int32)
  return lookup(table, rows + channels[None]).reshape(image.shape)
