"""Linear filters of float planes, with taps of its own for every picture of a batch.

CPU: plain convolutions (ops are mapped over the pictures of a batch one by one: `backend.compiled`). Accelerators,
where all pictures are filtered at once: shifted sums, not a grouped convolution with its reduced precision.
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax import lax

from jaxdistort.distortions.backend import in_a_loop
from jaxdistort.distortions.shifts import framed, shifted_sum, taps_of

_UNROLLED = 64  # taps on a side up to which the accelerator's sum is one kernel


def gaussian_taps(sigma: jax.Array, reach: int) -> jax.Array:
  """Weights exp(-i^2 / 2 sigma^2) at -reach..reach, float32 [2 reach + 1] that sum to 1; one tap where sigma is 0."""
  squares = jnp.square(jnp.arange(-reach, reach + 1, dtype=jnp.float32))
  weights = jnp.exp(-squares * (0.5 / jnp.square(jnp.maximum(sigma, 1e-3))))
  return weights / jnp.sum(weights)


def short_gaussian_taps(sigma: jax.Array, reach: int) -> jax.Array:
  """`gaussian_taps` cut off at ceil(2 sigma) (of MATLAB's imgaussfilt), which must not be beyond `reach`."""
  inside = jnp.abs(jnp.arange(-reach, reach + 1)) <= jnp.ceil(2 * sigma).astype(jnp.int32)
  weights = jnp.where(inside, gaussian_taps(sigma, reach), 0)
  return weights / jnp.sum(weights)


def truncated_taps(sigma: jax.Array, truncate: float, reach: int) -> jax.Array:
  """`gaussian_taps` that end at `truncate` times sigma, rounded, as scipy's do; alike for every reach beyond."""
  ends = jnp.floor(truncate * sigma + 0.5)
  taps = jnp.where(jnp.abs(jnp.arange(-reach, reach + 1, dtype=jnp.float32)) <= ends, gaussian_taps(sigma, reach), 0)
  return taps / jnp.sum(taps)


def smooth(planes: jax.Array, sigma: jax.Array, reach: int, mode: str = "edge") -> jax.Array:
  """Filters float32 planes [C, H, W] with a Gaussian of standard deviation `sigma` px cut off at `reach`, both axes."""
  return filter_axes(planes, gaussian_taps(sigma, reach), mode)


def filter_axes(planes: jax.Array, taps: jax.Array, mode: str = "edge") -> jax.Array:
  """`filter_axis` along rows, then along columns, with the same taps."""
  return filter_axis(filter_axis(planes, taps, 2, mode), taps, 1, mode)


def filter_axis(planes: jax.Array, taps: jax.Array, axis: int, mode: str = "edge") -> jax.Array:
  """Correlates one axis of float32 planes [C, H, W] with symmetric taps.

  Args:
    planes: [C, H, W].
    taps: float32 [2 reach + 1], traced; their number sets the cost.
    axis: 1 or 2.
    mode: what lies outside, as `jnp.pad` calls it.

  Returns:
    float32 [C, H, W].
  """
  reach = taps.shape[0] // 2
  widths = [(reach, reach) if a == axis else (0, 0) for a in range(3)]

  def convolved(planes: jax.Array) -> jax.Array:
    kernel = taps.reshape([-1 if a == axis else 1 for a in range(-1, 3)])
    return _convolution(jnp.pad(planes, widths, mode), kernel)

  return lax.platform_dependent(
    planes,
    cpu=lambda planes: in_a_loop(convolved, planes),
    default=lambda planes: _shifted_sums(jnp.pad(planes, widths, mode), taps, axis),
  )


def correlate(planes: jax.Array, kernel: jax.Array, mode: str = "edge") -> jax.Array:
  """Correlates float32 planes [C, H, W] with a kernel float32 [2 reach + 1, 2 reach + 1]; its zeros cost nothing."""
  reach, taps = kernel.shape[0] // 2, taps_of(kernel, kernel.size)

  def correlated(plane: jax.Array) -> jax.Array:
    frame = framed(plane[..., None], reach, reach, reach, mode)
    return shifted_sum(frame, taps, (*plane.shape, 1))[..., 0]

  return lax.map(correlated, planes)


def at_least(
  needed: jax.Array, sizes: Sequence[int], function: Callable[[int, jax.Array], jax.Array], operand: jax.Array
) -> jax.Array:
  """`function(size, operand)` at the first of the static, rising sizes that is not below the traced `needed`.

  So a small kernel costs less than a large one, though shapes are static. Accelerators, which take many pictures at
  once, take the largest size for all: the function's value must not depend on the size. So it is on CPU in a batch
  that is not mapped over one by one.
  """
  sizes = tuple(sizes)
  turn = jnp.minimum(jnp.sum(needed > jnp.asarray(sizes, needed.dtype)), len(sizes) - 1)
  branches = [lambda operand, size=size: function(size, operand) for size in sizes]
  return lax.platform_dependent(
    operand,
    cpu=lambda operand: lax.switch(turn, branches, operand),
    default=branches[-1],
  )


def _convolution(planes: jax.Array, kernel: jax.Array) -> jax.Array:
  """Correlates planes [C, H, W] with kernel [1, 1, h, w]; no padding."""
  return lax.conv_general_dilated(planes[:, None], kernel, (1, 1), "VALID", precision=lax.Precision.HIGHEST)[:, 0]


def _shifted_sums(planes: jax.Array, taps: jax.Array, axis: int) -> jax.Array:
  """Correlates `axis` of planes [C, H, W] with symmetric taps [2 reach + 1]; no padding."""
  reach = taps.shape[0] // 2
  length = planes.shape[axis] - 2 * reach

  def shifted(by: int) -> jax.Array:
    return lax.slice_in_dim(planes, reach + by, reach + by + length, axis=axis)

  total = taps[reach] * shifted(0)
  if reach <= _UNROLLED:
    for i in range(1, reach + 1):
      total += taps[reach + i] * (shifted(-i) + shifted(i))
    return total

  def add_pair(i: jax.Array, total: jax.Array) -> jax.Array:
    left, right = (lax.dynamic_slice_in_dim(planes, reach + by, length, axis=axis) for by in (-i, i))
    return total + taps[reach + i] * (left + right)

  return lax.fori_loop(1, reach + 1, add_pair, total, unroll=16)  # in one kernel it would take minutes to compile
