"""Networks: parameter counts, shapes, precision, what reaches the first layer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxdistort.errors import InputError
from jaxdistort.models import (
  INPUT_SCALINGS,
  MODELS,
  Variables,
  count_parameters,
  create_model,
  merge_network,
  run_network,
  split_network,
  trainable_parameters,
)
from jaxdistort.models.layers import scale_levels
from tests.models.networks import run, shapes, structure, variables


@pytest.mark.long
@pytest.mark.parametrize(
  ("name", "classes", "count"),
  [
    ("softmax", 3, 451_587),
    ("softmax", 7, 1_053_703),
    ("vgg_scratch", 3, 112_771_907),
    ("vgg_scratch", 7, 112_788_295),
    ("vgg_transfer", 3, 105_136_643),
    ("vgg_transfer", 7, 105_153_031),
    pytest.param("sgdnet_transfer", 3, 1_539, marks=pytest.mark.slow),
    pytest.param("sgdnet_transfer", 7, 3_591, marks=pytest.mark.slow),
  ],
)
def test_parameters_of_the_paper(name, classes, count):
  assert trainable_parameters(name, num_classes=classes) == count


_LARGE = {"vgg_scratch", "vgg_transfer", "sgdnet_transfer", "resnet_transfer"}


def _networks(*names):
  """Parameters of a test: drawing and tracing the large networks is slow."""
  return [pytest.param(name, marks=pytest.mark.slow) if name in _LARGE else name for name in names]


@pytest.mark.long
@pytest.mark.parametrize("name", _networks(*MODELS))
def test_shapes_and_precision(name):
  """In bfloat16 too: trained parameters and logits stay float32, frozen kernels are kept in it alone."""
  images, key = jax.ShapeDtypeStruct((8, 32, 32, 3), jnp.uint8), jax.random.key(0)
  with jax.numpy_dtype_promotion("standard"):  # flax's batch normalisation mixes bfloat16 with its float32 statistics
    arrays, network = shapes(name, dtype=jnp.bfloat16), structure(name, dtype=jnp.bfloat16)
    logits, after = jax.eval_shape(lambda *given: run_network(network, *given, train_key=key), arrays, images)
  assert (logits.shape, logits.dtype) == ((8, 5), jnp.float32)
  assert jax.tree.structure(after) == jax.tree.structure(arrays.statistics)
  assert {leaf.dtype for leaf in jax.tree.leaves(arrays.parameters)} == {jnp.dtype(jnp.float32)}
  assert {leaf.dtype for leaf in jax.tree.leaves(arrays.frozen) if leaf.ndim > 1} <= {jnp.dtype(jnp.bfloat16)}


@pytest.mark.long
@pytest.mark.usefixtures("short_resnet")
@pytest.mark.parametrize(
  "name", _networks(*(name for name in MODELS if name != "resnet_transfer"))
)  # it is within SGDNet
def test_a_fresh_network(name, photographs):
  network, arrays = structure(name), variables(name)
  images, key = jnp.asarray(photographs[:4, :32, :32]), jax.random.key(0)
  trained, _ = run(network, arrays, images, train_key=key)
  assert abs(float(-jax.nn.log_softmax(trained).mean()) - np.log(5)) < 0.3, "begins near chance"

  together, after = run(network, arrays, images)
  jax.tree.map(np.testing.assert_array_equal, after, arrays.statistics)
  among_others, _ = run(network, arrays, jnp.concatenate([images[:1], images[2:], 255 - images[:1]]))
  np.testing.assert_allclose(together[0], among_others[0], atol=1e-4, err_msg="evaluation judges each picture alone")

  if MODELS[name].pretrained:  # a frozen backbone is in no trained part, and does the same in training
    assert "backbone" not in arrays.parameters
    assert (arrays.statistics, set(arrays.frozen)) == ({}, {"backbone"})
    np.testing.assert_allclose(trained, together, rtol=1e-5, atol=1e-6)


def test_a_frozen_backbone_costs_no_gradient():
  """Ten convolutions forward; of the head's one, forward and the gradient of its kernel: nothing flows further back."""
  network, arrays = structure("vgg_transfer"), shapes("vgg_transfer")

  def loss(parameters, frozen, images):
    return run_network(network, Variables(parameters, {}, frozen), images)[0].mean()

  images = jax.ShapeDtypeStruct((2, 32, 32, 3), jnp.uint8)
  gradient = str(jax.make_jaxpr(jax.grad(loss))(arrays.parameters, arrays.frozen, images))
  assert gradient.count("conv_general_dilated[") == 10 + 2
  whole, arrays = structure("vgg_scratch"), shapes("vgg_scratch")
  whole_loss = lambda parameters, images: run_network(whole, Variables(parameters, {}, {}), images)[0].mean()
  gradient = str(jax.make_jaxpr(jax.grad(whole_loss))(arrays.parameters, images))
  assert gradient.count("conv_general_dilated[") == 3 * 11 - 1  # the first layer's input needs none


@pytest.mark.long
def test_bfloat16_computes(photographs):
  images = jnp.asarray(photographs[:4, :32, :32])
  with jax.numpy_dtype_promotion("standard"):
    network = structure("compact", dtype=jnp.bfloat16)
    logits, _ = run(network, variables("compact"), images, train_key=jax.random.key(0))
  assert logits.dtype == jnp.float32
  exact, _ = run(structure("compact"), variables("compact"), images, train_key=jax.random.key(0))
  np.testing.assert_allclose(logits, exact, atol=0.1 * float(jnp.abs(exact).max()))
  assert np.any(logits != exact)


@pytest.mark.long
def test_fine_tuning_trains_the_backbone_too():
  frozen, whole = (
    nnx.eval_shape(
      lambda fine=fine: split_network(create_model("sgdnet_transfer", 3, fine_tune=fine, rngs=nnx.Rngs(0)))[1]
    )
    for fine in (False, True)
  )
  assert count_parameters(frozen) == (1_539, 24_770_051)
  assert count_parameters(whole) == (24_716_931, 24_770_051)
  assert whole.frozen == {}
  assert trainable_parameters("vgg_transfer", fine_tune=True) == trainable_parameters("vgg_scratch")


@pytest.mark.long
def test_dropout_is_of_training_alone(photographs):
  network, arrays = structure("vgg_scratch", dropout=0.5), variables("vgg_scratch")
  images = jnp.asarray(photographs[:4, :32, :32])
  first, same, other = (run(network, arrays, images, train_key=jax.random.key(k))[0] for k in (0, 0, 1))
  np.testing.assert_array_equal(first, same)
  assert np.any(first != other)
  without, _ = run(structure("vgg_scratch"), arrays, images)
  np.testing.assert_allclose(run(network, arrays, images)[0], without, rtol=1e-5)


def test_variants_of_the_head():
  one, three = (trainable_parameters("vgg_transfer", head_convolutions=n) for n in (1, 3))
  assert three - one == 2 * (3 * 3 * 512 * 512 + 512)
  with pytest.raises(InputError, match="compact: has no dropout; vgg_scratch, vgg_transfer has"):
    create_model("compact", 3, dropout=0.5, rngs=nnx.Rngs(0))


def test_levels_reach_the_network_as_each_source_wants_them():
  levels = jnp.array([[[0, 128, 255]]], jnp.uint8)  # red, green, blue
  expected = {
    "centered": [-1, 0.5 / 127.5, 1],
    "raw": [0, 128, 255],
    "keras": [255 - 103.939, 128 - 116.779, 0 - 123.68],
    "torchvision": [(0 - 0.485) / 0.229, (128 / 255 - 0.456) / 0.224, (1 - 0.406) / 0.225],
  }
  assert set(expected) == set(INPUT_SCALINGS)
  for scaling, values in expected.items():
    np.testing.assert_allclose(scale_levels(levels, scaling, jnp.float32)[0, 0], values, rtol=1e-5)


@pytest.mark.long
@pytest.mark.parametrize("size", [33, 47])
@pytest.mark.parametrize("pool", [False, True])
def test_odd_sizes(size, pool):
  network, arrays = structure("compact", size, pool=pool), shapes("compact", size, pool=pool)
  images = jax.ShapeDtypeStruct((2, size, size, 3), jnp.uint8)
  assert jax.eval_shape(lambda *given: run_network(network, *given), arrays, images)[0].shape == (2, 5)


@pytest.mark.long
def test_signals_keep_their_size_through_vgg(photographs):
  """He initialisation and centred levels: no layer's output dies out or explodes."""
  network = merge_network(structure("vgg_scratch"), variables("vgg_scratch"))
  x = (jnp.asarray(photographs[:, :32, :32]).astype(jnp.float32) - 127.5) / 127.5
  for name, layer in network.backbone.layers.items():
    x = nnx.relu(layer(x))
    assert 0.05 < float(jnp.sqrt(jnp.mean(x * x))) < 5
    if name in ("block1_conv2", "block2_conv2", "block3_conv3"):
      x = nnx.max_pool(x, (2, 2), (2, 2))


def test_unknown_names_and_sizes_are_reported():
  with pytest.raises(InputError, match="did you mean 'vgg_scratch'"):
    trainable_parameters("vgg_scrach")
  with pytest.raises(InputError, match="input scaling: 'centred' is not one of centered, raw, keras, torchvision"):
    create_model("softmax", 3, input_scaling="centred", rngs=nnx.Rngs(0))
  with pytest.raises(InputError, match="16 is below 32"):
    create_model("vgg_scratch", 3, image_size=16, rngs=nnx.Rngs(0))


def test_raw_levels_stay_raw(photographs):
  network, arrays = structure("softmax", input_scaling="raw"), variables("softmax")
  images = jnp.asarray(photographs[:2, :32, :32])
  logits, _ = run(network, arrays, images)
  kernel, bias = (arrays.parameters["out"][name] for name in ("kernel", "bias"))
  expected = images.reshape(2, -1).astype(jnp.float32) @ kernel + bias[None]
  np.testing.assert_allclose(logits, expected, rtol=1e-3, atol=1e-2)
