"""Geometric distortions: marble, twirl and ripple, as JH Labs' TransformFilters compute them."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxdistort.distortions.backend import compiled, in_tiles, lookup
from jaxdistort.distortions.checks import bounded, check_image, known
from jaxdistort.distortions.gradient_noise import (
  GridLines,
  NoiseTables,
  grid_lines,
  interpolate,
  lattice_cell,
  noise_tables,
  stored_lines,
)
from jaxdistort.distortions.registry import Distortion, Parameter, register
from jaxdistort.distortions.sampling import bilinear, joined, packed, picture


def marble(
  key: jax.Array, image: jax.Array, x_scale: Any, y_scale: Any, turbulence: Any, *, tables: NoiseTables | None = None
) -> jax.Array:
  """Displaces every pixel by y_scale in a direction that smooth noise chooses.

  With n the gradient noise at (x, y) / x_scale (both axes use the x scale), k = trunc(127 (1 + n))
  within 0..255 and t = 2 pi k / 256 * turbulence, the pixel takes the colour at
  (x - y_scale sin t, y + y_scale cos t): bilinear, edge pixels repeated, truncated to whole levels.

  Args:
    key: draws the tables; unused where `tables` are given.
    image: uint8 [H, W, 3].
    x_scale: size of the noise's cells in pixels, 0.001..1,000,000; traced.
    y_scale: length of the displacement in pixels, 0..1,000,000; traced.
    turbulence: turns of the direction over the noise's range, 0..1,000; traced.
    tables: (int32 [514], float32 [514, 2]) for a noise that is known.

  Returns:
    uint8 [H, W, 3]. Where parameters are traced, one outside its bounds gives the picture of the nearest
    bound, and NaN a black picture.

  Raises:
    ValueError: a concrete parameter is outside its bounds.

  Source: JH Labs filters 2.0.235, MarbleFilter; K. Perlin, An image synthesizer (SIGGRAPH 1985).
  """
  check_image("marble", image)
  x_scale = bounded("marble", "x_scale", x_scale, 1e-3, 1e6, "px")
  y_scale = bounded("marble", "y_scale", y_scale, 0, 1e6, "px")
  turbulence = bounded("marble", "turbulence", turbulence, 0, 1000)
  tables = noise_tables(key) if tables is None else NoiseTables(*(jnp.asarray(table) for table in tables))
  return _marble(image, x_scale, y_scale, turbulence, *tables)


register(
  Distortion(
    "marble",
    marble,
    (
      Parameter("x_scale", "px", 1, 64, 20, weakest=64),
      Parameter("y_scale", "px", 0, 64, 20, weakest=0),
      Parameter("turbulence", "", 0, 10, 5, weakest=0),
    ),
    random=True,
    graded=("y_scale",),
    group="warp",
  )
)


@compiled(group_on_cpu=1)
def _marble(
  image: jax.Array,
  x_scale: jax.Array,
  y_scale: jax.Array,
  turbulence: jax.Array,
  permutation: jax.Array,
  gradients: jax.Array,
) -> jax.Array:
  tables = NoiseTables(permutation, gradients)
  x_scale, y_scale, turbulence, brightest = known(x_scale, y_scale, turbulence)
  angles = jnp.arange(256, dtype=jnp.float32) * (2 * math.pi / 256) * turbulence
  x_shifts, y_shifts = -y_scale * jnp.sin(angles), y_scale * jnp.cos(angles)
  height, width, _ = image.shape
  columns = jnp.arange(width, dtype=jnp.float32)

  def coordinates(lines: GridLines) -> tuple[jax.Array, jax.Array]:
    def of_rows(row_indices: jax.Array) -> tuple[jax.Array, jax.Array]:
      rows = row_indices.astype(jnp.float32)
      noise = interpolate(rows / x_scale, lines)
      k = jnp.clip((127 * (1 + noise)).astype(jnp.int32), 0, 255)
      return columns[None, :] + lookup(x_shifts, k), rows[:, None] + lookup(y_shifts, k)

    return in_tiles(of_rows, height, tiles=8)

  def looked_up() -> tuple[jax.Array, jax.Array]:
    return coordinates(grid_lines(columns / x_scale, tables))

  def stored() -> tuple[jax.Array, jax.Array]:
    return coordinates(stored_lines(columns / x_scale, cells, tables))

  # Cells of four pixels and more have few rows, and their grid lines are made but once: four times as fast on CPU.
  cells = height // 4 + 1
  few = lattice_cell(jnp.float32(height - 1) / x_scale) - lattice_cell(jnp.float32(0)) < cells
  x, y = lax.platform_dependent(cpu=lambda: lax.cond(few, stored, looked_up), default=looked_up)
  return _sample_bilinear(image, x, y, brightest)


def twirl(image: jax.Array, angle: Any, radius: Any, *, center: tuple[Any, Any] = (0.5, 0.5)) -> jax.Array:
  """Turns the picture about a point, most at the point and not at all from `radius` outwards.

  A pixel at distance q <= radius from the centre takes the colour at the same distance, its direction
  turned by angle (radius - q) / radius: bilinear, edge pixels repeated, truncated to whole levels.

  Args:
    image: uint8 [H, W, 3].
    angle: radians, -1,000..1,000; traced.
    radius: pixels, 0..1,000,000; traced.
    center: (x, y) as fractions of width and height, -1,000..1,000; traced.

  Returns:
    uint8 [H, W, 3]. Where parameters are traced, one outside its bounds gives the picture of the nearest
    bound, and NaN a black picture.

  Raises:
    ValueError: a concrete parameter is outside its bounds.

  Source: JH Labs filters 2.0.235, TwirlFilter.
  """
  check_image("twirl", image)
  angle = bounded("twirl", "angle", angle, -1000, 1000, "rad")
  radius = bounded("twirl", "radius", radius, 0, 1e6, "px")
  x, y = (bounded("twirl", f"center {axis}", value, -1000, 1000) for axis, value in zip("xy", center, strict=True))
  return _twirl(image, angle, radius, x, y)


register(
  Distortion(
    "twirl",
    twirl,
    (Parameter("angle", "rad", -6.2832, 6.2832, 3, weakest=0), Parameter("radius", "px", 0, 512, 250, weakest=0)),
    group="warp",
  )
)


@compiled(group_on_cpu=1)
def _twirl(image: jax.Array, angle: jax.Array, radius: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
  angle, radius, x, y, brightest = known(angle, radius, x, y)
  height, width, _ = image.shape
  center_x, center_y = width * x, height * y
  dx = (jnp.arange(width, dtype=jnp.float32) - center_x)[None, :]
  dy = (jnp.arange(height, dtype=jnp.float32) - center_y)[:, None]
  distance = jnp.sqrt(dx * dx + dy * dy)
  turn = jnp.where(distance <= radius, angle * (radius - distance) / jnp.maximum(radius, 1e-6), 0)
  cos, sin = jnp.cos(turn), jnp.sin(turn)
  return _sample_bilinear(image, center_x + dx * cos - dy * sin, center_y + dx * sin + dy * cos, brightest)


def ripple(image: jax.Array, x_amplitude: Any, x_wavelength: Any, y_amplitude: Any, y_wavelength: Any) -> jax.Array:
  """Displaces rows and columns along sine waves.

  The pixel takes the colour at (x + x_amplitude sin(y / x_wavelength), y + y_amplitude sin(x / y_wavelength)):
  bilinear, edge pixels repeated, truncated to whole levels. A full wave is 2 pi wavelengths long.

  Args:
    image: uint8 [H, W, 3].
    x_amplitude, y_amplitude: pixels, 0..1,000,000; traced.
    x_wavelength, y_wavelength: pixels a radian, 0.001..1,000,000; traced.

  Returns:
    uint8 [H, W, 3]. Where parameters are traced, one outside its bounds gives the picture of the nearest
    bound, and NaN a black picture.

  Raises:
    ValueError: a concrete parameter is outside its bounds.

  Source: JH Labs filters 2.0.235, RippleFilter with sine waves.
  """
  check_image("ripple", image)
  x_amplitude = bounded("ripple", "x_amplitude", x_amplitude, 0, 1e6, "px")
  x_wavelength = bounded("ripple", "x_wavelength", x_wavelength, 1e-3, 1e6, "px/rad")
  y_amplitude = bounded("ripple", "y_amplitude", y_amplitude, 0, 1e6, "px")
  y_wavelength = bounded("ripple", "y_wavelength", y_wavelength, 1e-3, 1e6, "px/rad")
  return _ripple(image, x_amplitude, x_wavelength, y_amplitude, y_wavelength)


register(
  Distortion(
    "ripple",
    ripple,
    (
      Parameter("x_amplitude", "px", 0, 32, 10, weakest=0),
      Parameter("x_wavelength", "px/rad", 1, 64, 10, weakest=64),
      Parameter("y_amplitude", "px", 0, 32, 10, weakest=0),
      Parameter("y_wavelength", "px/rad", 1, 64, 10, weakest=64),
    ),
    graded=("x_amplitude", "y_amplitude"),
    group="warp",
  )
)


@compiled(group_on_cpu=1)
def _ripple(
  image: jax.Array, x_amplitude: jax.Array, x_wavelength: jax.Array, y_amplitude: jax.Array, y_wavelength: jax.Array
) -> jax.Array:
  x_amplitude, x_wavelength, y_amplitude, y_wavelength, brightest = known(
    x_amplitude, x_wavelength, y_amplitude, y_wavelength
  )
  x = jnp.arange(image.shape[1], dtype=jnp.float32)
  y = jnp.arange(image.shape[0], dtype=jnp.float32)
  x_shift = x_amplitude * jnp.sin(y / x_wavelength)
  y_shift = y_amplitude * jnp.sin(x / y_wavelength)
  return _sample_bilinear(image, x[None, :] + x_shift[:, None], y[:, None] + y_shift[None, :], brightest)


def _sample_bilinear(image: jax.Array, x: jax.Array, y: jax.Array, brightest: jax.Array) -> jax.Array:
  """Colours at coordinates x, y float32 [H, W], edge pixels repeated, truncated: uint8 [H, W, 3] up to `brightest`."""

  def truncated(planes: list[jax.Array]) -> jax.Array:
    return joined([jnp.minimum(jnp.floor(plane), brightest) for plane in planes], 8)

  return picture(bilinear(packed(image), image.shape, x, y, truncated))
