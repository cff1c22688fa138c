"""Convolutions in other forms: values and gradients of `lax.conv_general_dilated`, wherever they are traced."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from jaxdistort.models import convolving
from jaxdistort.models.convolving import convolve
from jaxdistort.models.layers import convolution

_MARGIN = ((1, 1), (1, 1))
_AXES = ("NHWC", "HWIO", "NHWC")
_FORMS = {
  "pairs": ((8, 12, 10, 12), 16, 1),
  "phases": ((8, 12, 8, 16), 24, 2),
  "patches": ((8, 9, 11, 3), 32, 1),
  "patches of many channels": ((8, 9, 8, 48), 16, 1),
  "patches at a stride": ((8, 9, 8, 48), 16, 2),
  "tiles of 2": ((8, 6, 10, 32), 40, 1),
  "tiles of 4": ((8, 8, 12, 32), 40, 1),
}


@pytest.fixture
def forms_for_small(monkeypatch):
  """The bounds, so low that small convolutions have other forms."""
  for name, value in {"_MANY": 32, "_WORK": 0, "_FEW_TILES": 40, "_LARGE_MAP": 0, "_ROWS": 0}.items():
    monkeypatch.setattr(convolving, name, value)


def _operands(form):
  shape, outputs, stride = _FORMS[form]
  keys = jax.random.split(jax.random.key(0), 3)
  x = jax.nn.relu(jax.random.normal(keys[0], shape))
  kernel = jax.random.normal(keys[1], (3, 3, shape[-1], outputs))
  gradient = jax.random.normal(keys[2], (shape[0], -(-shape[1] // stride), -(-shape[2] // stride), outputs))
  return x, kernel, gradient, stride


def _all(function, stride):
  """Outputs and both gradients, compiled."""

  def values(x, kernel, gradient):
    outputs, pull = jax.vjp(lambda x, k: function(x, k, (stride,) * 2, _MARGIN, dimension_numbers=_AXES), x, kernel)
    return outputs, *pull(gradient)

  return values


def _close(found, expected):
  for a, b in zip(found, expected, strict=True):
    assert a.dtype == b.dtype
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-5 * float(jnp.abs(b).max()))


@pytest.mark.long
@pytest.mark.parametrize(
  "form", [form if form == "pairs" else pytest.param(form, marks=pytest.mark.slow) for form in _FORMS]
)
@pytest.mark.usefixtures("forms_for_small")
def test_values_and_gradients(form):
  x, kernel, gradient, stride = _operands(form)
  assert convolving._choose(x.shape, kernel.shape, stride) is not None
  expected = jax.jit(_all(jax.lax.conv_general_dilated, stride))(x, kernel, gradient)
  _close(jax.jit(_all(convolve, stride))(x, kernel, gradient), expected)


@pytest.mark.long
@pytest.mark.parametrize("form", _FORMS)
@pytest.mark.usefixtures("forms_for_small")
def test_split_over_devices_remat_and_in_a_loop(form):
  x, kernel, gradient, stride = _operands(form)
  expected = jax.jit(_all(jax.lax.conv_general_dilated, stride))(x, kernel, gradient)
  mesh = Mesh(np.array(jax.devices()), "data")
  rows = NamedSharding(mesh, P("data"))
  x, gradient = jax.device_put((x, gradient), rows)

  def again(x, kernel, *static, **axes):
    return jax.checkpoint(lambda x, kernel: convolve(x, kernel, *static, **axes))(x, kernel)

  step = _all(again, stride)

  def looped(x, kernel, gradient):
    return jax.lax.scan(lambda carry, _: (carry, step(x, kernel, gradient)), 0, None, length=1)[1]

  found = jax.jit(looped)(x, kernel, gradient)
  _close([value[0] for value in found], expected)

  def shard(x, kernel, gradient):
    outputs, by_x, by_kernel = _all(convolve, stride)(x, kernel, gradient)
    return outputs, by_x, by_kernel[None]

  split = jax.shard_map(shard, mesh=mesh, in_specs=(P("data"), P(), P("data")), out_specs=P("data"), check_vma=False)
  outputs, by_x, by_kernel = jax.jit(split)(x, kernel, gradient)
  _close((outputs, by_x, by_kernel.sum(0)), expected)


@pytest.mark.usefixtures("forms_for_small")
@pytest.mark.parametrize("change", ["dtype", "size", "stride", "padding"])
def test_what_has_no_other_form_stays(change):
  x, kernel, _, _ = _operands("tiles of 4")
  strides, padding = (1, 1), _MARGIN
  if change == "dtype":
    x, kernel = x.astype(jnp.bfloat16), kernel.astype(jnp.bfloat16)
  elif change == "size":
    kernel = kernel[:1, :1]
  elif change == "stride":
    strides = (1, 2)
  else:
    padding = "SAME"
  found = convolve(x, kernel, strides, padding, dimension_numbers=_AXES)
  expected = jax.lax.conv_general_dilated(x, kernel, strides, padding, dimension_numbers=_AXES)
  np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
  ("shape", "kernel", "stride", "special"),
  [
    ((2, 56, 56, 256), (3, 3, 256, 256), 1, True),
    ((1, 4, 4, 512), (3, 3, 512, 512), 1, False),
    ((32, 48, 48, 12), (3, 3, 12, 16), 1, True),
    ((32, 112, 112, 16), (3, 3, 16, 32), 2, True),
    ((32, 24, 24, 32), (3, 3, 32, 64), 2, False),
    ((2, 224, 224, 3), (3, 3, 3, 64), 1, True),
    ((2, 7, 7, 512), (3, 3, 512, 512), 1, False),
    ((64, 24, 24, 48), (3, 3, 48, 64), 1, True),
    ((32, 112, 112, 64), (3, 3, 64, 64), 1, False),
  ],
)
def test_where_another_form_is_taken(shape, kernel, stride, special):
  assert (convolving._choose(shape, kernel, stride) is not None) is special


def test_the_layers_of_networks_use_it():
  assert convolution(3, 4, dtype=jnp.float32, rngs=nnx.Rngs(0)).conv_general_dilated is convolve


def test_any_batch_and_other_platforms(monkeypatch):
  monkeypatch.setattr(convolving, "_LARGE_MAP", 0)
  (batch,) = jax.export.symbolic_shape("b")
  shape = jax.ShapeDtypeStruct((batch, 12, 12, 12), jnp.float32)
  kernel = jnp.ones((3, 3, 12, 16))
  exported = jax.export.export(
    jax.jit(lambda x: convolve(x, kernel, (1, 1), _MARGIN, dimension_numbers=_AXES)), platforms=("cpu", "cuda")
  )(shape)
  assert exported.call(jnp.ones((3, 12, 12, 12))).shape == (3, 12, 12, 16)
