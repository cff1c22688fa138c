"""Convolutions in the form that is fastest on CPU: the same numbers but for rounding, elsewhere as they were.

XLA's convolutions on CPU lose most against PyTorch's where channels are few (the first layers), and where a gradient
runs along large maps; and with many channels fewer products beat a better loop. The bounds below were measured on two
cores (x86, AVX-512) with jax 0.10.2.
"""

import functools
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_derivatives import SymbolicZero

from jaxdistort.models import winograd

_AXES = ("NHWC", "HWIO", "NHWC")
_MANY = 128  # channels from which Winograd's form pays
_WORK = 2 * 10**8  # B H W C D; below, its programs take longer to compile than they save
_FEW_TILES = 300  # below, the 36 transformed kernels of tiles of 4 outweigh what they save: tiles of 2
_LARGE_MAP = 2000  # pixels from which the gradient of a stride of two is taken in phases
_ROWS = 1000  # places of a batch's maps, below which a product with their neighbourhoods does not pay
_PATCHES = 2**20  # numbers in the neighbourhoods that are held at a time for the gradient by a kernel: caches hold them

_Apply = Callable[[jax.Array, jax.Array], jax.Array]


class _Form(NamedTuple):
  """How a convolution of inputs x and kernel k, and its two gradients from that by its outputs g, are computed.

  Attributes:
    stride: of both axes.
    forward: (x, k) -> outputs; None: as `lax` does, as for the next two.
    by_inputs: (g, k) -> gradient by x.
    by_kernel: (x, g) -> gradient by k.
  """

  stride: int
  forward: _Apply | None = None
  by_inputs: _Apply | None = None
  by_kernel: _Apply | None = None


def convolve(
  x: jax.Array, kernel: jax.Array, strides: Sequence[int], padding: Any, *, precision: Any = None, **options: Any
) -> jax.Array:
  """`lax.conv_general_dilated` as `nnx.Conv` calls it, with another form on CPU where that is faster.

  Only float32 with kernels of 3 x 3 and a margin of one pixel has other forms; those have derivatives in reverse
  mode alone.
  """
  plain = (
    tuple(kernel.shape[:2]) == (3, 3)
    and len(set(strides)) == 1
    and not isinstance(padding, str)
    and [tuple(margin) for margin in padding] == [(1, 1), (1, 1)]
    and x.dtype == kernel.dtype == jnp.float32
    and precision is None
    and _only_defaults(options)
    and all(isinstance(length, int) for length in x.shape)  # a program for any batch has no number here
  )
  form = _choose(x.shape, kernel.shape, strides[0]) if plain else None
  if form is None:
    return lax.conv_general_dilated(x, kernel, strides, padding, precision=precision, **options)
  return _convolve(form, x, kernel)


def _only_defaults(options: dict[str, Any]) -> bool:
  dilations = [d for name in ("lhs_dilation", "rhs_dilation") for d in options.get(name) or (1,)]
  rest = {name: options.get(name) for name in ("out_sharding", "preferred_element_type", "batch_group_count")}
  grouped = options.get("feature_group_count", 1) != 1
  return set(dilations) == {1} and not grouped and not any(rest.values())


def _choose(shape: Sequence[int], kernel_shape: Sequence[int], stride: int) -> _Form | None:
  (count, height, width, _), (*_, inputs, outputs) = shape, kernel_shape
  form, even = None, height % 2 == 0 and width % 2 == 0
  if stride == 1 and even and min(inputs, outputs) >= _MANY:
    if count * height * width * inputs * outputs >= _WORK:
      fours = height % 4 == 0 and width % 4 == 0 and count * height * width >= 16 * _FEW_TILES
      form = _winograd(4 if fours else 2)
  elif stride == 1 and inputs <= 4 and outputs >= 32:
    form = _Form(1, by_kernel=_gradient_of_patches)
  elif stride == 1 and even and inputs < 32 and outputs <= 16:
    form = _Form(1, forward=_in_pairs)
  elif stride == 2 and even and inputs <= 32 and height * width >= _LARGE_MAP:
    form = _Form(2, by_inputs=_in_phases)
  elif inputs >= 48 and count * height * width >= _ROWS and 9 * inputs * height * width <= 4 * _PATCHES:
    form = _Form(stride, by_kernel=partial(_gradient_of_patches, stride=stride))
  return form


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _convolve(form: _Form, x: jax.Array, kernel: jax.Array) -> jax.Array:
  return _on_cpu(form.forward, partial(_plain, form.stride), x, kernel)


def _forward(form: _Form, x: Any, kernel: Any) -> tuple[jax.Array, Any]:
  # An empty tuple or None is kept too: of pictures, and of what a frozen layer gives, nobody wants the gradient.
  return _convolve(form, x.value, kernel.value), (x.value, kernel.value, () if x.perturbed else None)


def _backward(form: _Form, kept: Any, gradient: Any) -> tuple[jax.Array | None, jax.Array | None]:
  (x, kernel, wanted), plain = kept, partial(_plain, form.stride)
  if isinstance(gradient, SymbolicZero):
    return None, None

  def by_inputs(gradient: jax.Array, kernel: jax.Array) -> jax.Array:
    return jax.linear_transpose(lambda x: plain(x, kernel), x)(gradient)[0]

  def by_kernel(x: jax.Array, gradient: jax.Array) -> jax.Array:
    return jax.linear_transpose(lambda kernel: plain(x, kernel), kernel)(gradient)[0]

  by_x = None if wanted is None else _on_cpu(form.by_inputs, by_inputs, gradient, kernel)
  return by_x, _on_cpu(form.by_kernel, by_kernel, x, gradient)


_convolve.defvjp(_forward, _backward, symbolic_zeros=True)


def _on_cpu(special: _Apply | None, plain: _Apply, *operands: jax.Array) -> jax.Array:
  return lax.platform_dependent(*operands, cpu=special, default=plain) if special else plain(*operands)


def _plain(stride: int, x: jax.Array, kernel: jax.Array) -> jax.Array:
  return lax.conv_general_dilated(x, kernel, (stride, stride), ((1, 1), (1, 1)), dimension_numbers=_AXES)


@functools.cache
def _winograd(tile: int) -> _Form:
  def by_inputs(gradient: jax.Array, kernel: jax.Array) -> jax.Array:
    return winograd.convolve(gradient, kernel[::-1, ::-1].swapaxes(2, 3), tile)

  return _Form(1, partial(winograd.convolve, tile=tile), by_inputs, partial(winograd.kernel_gradient, tile=tile))


def _in_pairs(x: jax.Array, kernel: jax.Array) -> jax.Array:
  """Two outputs side by side as twice the channels: a stride of two, and a kernel of 3 x 4 that holds ours twice."""
  left, right = (jnp.pad(kernel, ((0, 0), margin, (0, 0), (0, 0))) for margin in ((0, 1), (1, 0)))
  pairs = lax.conv_general_dilated(
    x, jnp.concatenate([left, right], -1), (1, 2), ((1, 1), (1, 1)), dimension_numbers=_AXES
  )
  return pairs.reshape(*x.shape[:3], -1)


def _in_phases(gradient: jax.Array, kernel: jax.Array) -> jax.Array:
  """The gradient by the inputs of a stride of two: a kernel of 2 x 2 gives every 2 x 2 block of it.

  Input 2a is seen by output a alone (through the kernel's middle), input 2a + 1 by a (its end) and a + 1 (its start).
  """
  (count, height, width, _), (*_, inputs, outputs) = gradient.shape, kernel.shape
  taps = ((1, 2), (None, 0))  # of output a, a + 1: the kernel's row for input 2a, 2a + 1
  nothing = jnp.zeros((outputs, inputs), kernel.dtype)
  blocks = [
    [
      jnp.concatenate(
        [nothing if i is None or j is None else kernel[i, j].T for i in taps[down] for j in taps[right]], -1
      )
      for right in range(2)
    ]
    for down in range(2)
  ]
  stacked = jnp.stack([jnp.stack(row) for row in blocks])
  phases = lax.conv_general_dilated(gradient, stacked, (1, 1), ((0, 1), (0, 1)), dimension_numbers=_AXES)
  phases = phases.reshape(count, height, width, 2, 2, inputs).swapaxes(2, 3)
  return phases.reshape(count, 2 * height, 2 * width, inputs)


def _gradient_of_patches(x: jax.Array, gradient: jax.Array, stride: int = 1) -> jax.Array:
  """The gradient by the kernel as products with the neighbourhoods of 3 x 3, of a few pictures at a time."""
  count, channels = x.shape[0], x.shape[3]
  few = max(1, _PATCHES // (9 * math.prod(gradient.shape[1:3]) * channels))
  groups = next(n for n in range(-(-count // few), count + 1) if count % n == 0)

  def add(total: jax.Array, own: tuple[jax.Array, ...]) -> tuple[jax.Array, None]:
    return total + _product_with_patches(own[0], own[1], stride), None

  nothing = jnp.zeros((9 * channels, gradient.shape[-1]), jnp.float32)
  # Every n-th picture is a group: where devices share the pictures, each has some of every group.
  of_groups = [a.reshape(-1, groups, *a.shape[1:]).swapaxes(0, 1) for a in (x, gradient)]
  return lax.scan(add, nothing, tuple(of_groups))[0].reshape(3, 3, channels, -1)


def _product_with_patches(x: jax.Array, gradient: jax.Array, stride: int) -> jax.Array:
  height, width = x.shape[1:3]
  padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
  shifted = [padded[:, i : i + height : stride, j : j + width : stride] for i in range(3) for j in range(3)]
  rows = jnp.concatenate(shifted, -1).reshape(-1, 9 * x.shape[-1]), gradient.reshape(-1, gradient.shape[-1])
  return lax.dot_general(*rows, (((0,), (0,)), ((), ())))
