"""Nuisance: what befalls every picture and is no distortion to be named."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxdistort.distortions import camera_noise, jpeg, sharpen, window
from jaxdistort.distortions.backend import compiled, lookup, one_by_one
from jaxdistort.distortions.colour_spaces import from_linear, to_linear
from jaxdistort.distortions.distributions import Distribution, Power, Uniform, UniformInteger
from jaxdistort.distortions.tables import through_tables

_SCALE, _QUALITY = Uniform(0.3, 1.4), UniformInteger(85, 100)
_EXPOSURE, _BALANCE = Uniform(-0.15, 0.15), Uniform(-0.04, 0.04)
_CUT = 8  # the side of JPEG's blocks, px
_GRAIN, _COARSENESS, _SHARPENING = Power(0, 1.5, 4), Uniform(0, 3), Power(0, 0.5, 3)  # half have no grain at all


@dataclasses.dataclass(frozen=True)
class Nuisance:
  """Changes that stay below what people see as a fault: another size, another view, what cameras do.

  The clean picture is scaled with an antialiased filter and cut at a random place, turned over left to right half of
  the time, and its light and its colours are changed a little. Before one of the stages the camera has its turn: what
  the lens has drawn, blurred or not, gets a grain that can hardly be seen and is sharpened. After the stages half of
  the pictures are coded as JPEGs of good quality, whose colours have half the resolution, and half are not: colours of
  full resolution, as in a PNG, are no fault, and noise in them is noise. Of half of the pictures a few rows and columns
  are cut off then, so that the blocks of codecs begin anywhere, as in a picture that was cropped since.

  Attributes:
    margin: sides of the clean picture by sides of the result.
    scale: of the clean picture; at least what fills the result.
    exposure: stops.
    balance: stops by which red is brighter and blue is darker.
    camera_before: number of the stage before which the camera has its turn.
    grain: amount of camera noise, levels.
    coarseness: of its colour, px.
    sharpening: amount of an unsharp mask of radius 1 px.
    quality: of the JPEG.
    coded: share of the pictures that are coded.
    cut: rows and columns of the coded picture that the result has not.
  """

  margin: int = 2
  scale: Distribution = _SCALE
  exposure: Distribution = _EXPOSURE
  balance: Distribution = _BALANCE
  camera_before: int = 0
  grain: Distribution = _GRAIN
  coarseness: Distribution = _COARSENESS
  sharpening: Distribution = _SHARPENING
  quality: Distribution = _QUALITY
  coded: float = 0.5
  cut: int = _CUT

  def clean_side(self, side: int) -> int:
    """The side of the clean pictures, px, from which those of `side` px are made."""
    return (side + self.cut) * self.margin

  def before(self, keys: jax.Array, images: jax.Array) -> jax.Array:
    """uint8 [B, H, W, 3] to [B, S, S, 3], where S is the shorter side by the margin; `cut_off` is still to come."""
    height, width = images.shape[1:3]
    size = max(1, min(height, width) // self.margin)
    scale, corner, flipped, (exposure, balance) = one_by_one(lambda key: self._draw(key, height, width, size), keys)

    def change(image: jax.Array, *own: jax.Array) -> jax.Array:
      scale, top, left, flipped, exposure, balance = own
      view = window(image, scale, top, left, size=size, filter="bicubic")
      return _toned(jnp.where(flipped, view[:, ::-1], view), exposure, balance)

    return jax.vmap(change)(images, scale, *corner, flipped, exposure, balance)

  def _draw(self, key: jax.Array, height: int, width: int, size: int) -> tuple[Any, ...]:
    scale_key, row_key, column_key, flip_key, *keys = (jax.random.fold_in(key, i) for i in range(6))
    scale = jnp.maximum(self.scale.draw(scale_key), size / min(height, width))
    top = jax.random.uniform(row_key, (), jnp.float32) * jnp.maximum(height * scale - size + 1, 0)
    left = jax.random.uniform(column_key, (), jnp.float32) * jnp.maximum(width * scale - size + 1, 0)
    tones = zip((self.exposure, self.balance), keys, strict=True)
    return scale, (top, left), jax.random.bernoulli(flip_key), [own.draw(key) for own, key in tones]

  def camera(self, keys: jax.Array, images: jax.Array) -> jax.Array:
    """uint8 [B, H, W, 3] to the same shape."""
    draws = self.grain, self.coarseness, self.sharpening
    drawn = one_by_one(lambda key: [own.draw(jax.random.fold_in(key, 8 + i)) for i, own in enumerate(draws)], keys)

    def develop(key: jax.Array, image: jax.Array, grain: jax.Array, coarseness: jax.Array, sharpening: jax.Array):
      return sharpen(camera_noise(jax.random.fold_in(key, 11), image, grain, coarseness), sharpening, 1.0)

    return jax.vmap(develop)(keys, images, *drawn)

  def after(self, keys: jax.Array, images: jax.Array) -> jax.Array:
    """uint8 [B, H, W, 3] to the same shape."""

    def draw(key: jax.Array) -> tuple[jax.Array, jax.Array]:
      return self.quality.draw(jax.random.fold_in(key, 7)), jax.random.bernoulli(
        jax.random.fold_in(key, 14), self.coded
      )

    quality, is_coded = one_by_one(draw, keys)
    return jnp.where(is_coded[:, None, None, None], jax.vmap(jpeg)(images, quality), images)

  def cut_off(self, keys: jax.Array, *pictures: jax.Array) -> tuple[jax.Array, ...]:
    """Each uint8 [B, S, S, 3] to [B, S - cut, S - cut, 3], all at the same places: the corner, or as often anywhere."""
    side = pictures[0].shape[1] - self.cut

    def cut(key: jax.Array, *own: jax.Array) -> tuple[jax.Array, ...]:
      anywhere = jax.random.randint(jax.random.fold_in(key, 12), (2,), 0, self.cut + 1)
      row, column = jnp.where(jax.random.bernoulli(jax.random.fold_in(key, 13)), anywhere, 0)
      return tuple(lax.dynamic_slice(image, (row, column, jnp.int32(0)), (side, side, 3)) for image in own)

    return jax.vmap(cut)(keys, *pictures)

  def describe(self) -> dict[str, Any]:
    """Ready for JSON."""
    fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
    return {name: value if isinstance(value, int | float) else value.describe() for name, value in fields.items()}


@compiled(group_on_cpu=1)
def _toned(image: jax.Array, exposure: jax.Array, balance: jax.Array) -> jax.Array:
  """Light times 2^exposure, red 2^balance more and blue as much less."""
  gains = jnp.exp2(exposure + balance * jnp.asarray([1.0, 0, -1], jnp.float32))
  return through_tables(image, lambda level, channel: from_linear(to_linear(level) * lookup(gains, channel)))
