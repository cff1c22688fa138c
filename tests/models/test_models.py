"""Networks: parameter counts, shapes, precision, what reaches the first layer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxdistort.errors import InputError
from jaxdistort.models import MODELS, create_model, run_network, trainable_parameters


@pytest.mark.parametrize(
  ("name", "classes", "count"),
  [
    ("softmax", 3, 451_587),
    ("softmax", 7, 1_053_703),
    ("vgg_scratch", 3, 112_771_907),
    ("vgg_scratch", 7, 112_788_295),
  ],
)
def test_parameters_of_the_paper(name, classes, count):
  assert trainable_parameters(name, num_classes=classes) == count


@pytest.fixture
def mixed_precision():
  with jax.numpy_dtype_promotion("standard"):
    yield


def _split(name, image_size=32, **options):
  network = create_model(name, 5, image_size=image_size, rngs=nnx.Rngs(0), **options)
  structure, parameters, statistics = nnx.split(network, nnx.Param, ...)
  return structure, nnx.to_pure_dict(parameters), nnx.to_pure_dict(statistics)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_logits_are_float32_and_begin_near_chance(name, dtype, photographs, request):
  if dtype == jnp.bfloat16:  # flax's batch normalisation mixes it with its float32 statistics
    request.getfixturevalue("mixed_precision")
  structure, parameters, statistics = _split(name, dtype=dtype)
  assert {leaf.dtype for leaf in jax.tree.leaves(parameters)} == {jnp.dtype(jnp.float32)}
  logits, after = run_network(structure, parameters, statistics, jnp.asarray(photographs[:, :32, :32]), train=True)
  assert logits.shape == (8, 5)
  assert logits.dtype == jnp.float32
  losses = -jax.nn.log_softmax(logits)
  assert abs(float(losses.mean()) - np.log(5)) < 0.3
  assert jax.tree.structure(after) == jax.tree.structure(statistics)


@pytest.mark.parametrize("name", MODELS)
def test_evaluation_judges_each_picture_alone(name, photographs):
  structure, parameters, statistics = _split(name)
  images = jnp.asarray(photographs[:, :32, :32])
  together, after = run_network(structure, parameters, statistics, images, train=False)
  jax.tree.map(np.testing.assert_array_equal, after, statistics)
  alone = jnp.concatenate(
    [run_network(structure, parameters, statistics, images[i : i + 1], train=False)[0] for i in range(8)]
  )
  np.testing.assert_allclose(together, alone, atol=1e-4)


def test_odd_sizes(photographs):
  for size in (33, 47):
    structure, parameters, statistics = _split("compact", image_size=size)
    images = jnp.asarray(photographs[:2, :size, :size])
    assert run_network(structure, parameters, statistics, images, train=True)[0].shape == (2, 5)


def test_signals_keep_their_size_through_vgg(photographs):
  """He initialisation and centred levels: no layer's output dies out or explodes."""
  network = create_model("vgg_scratch", 5, image_size=32, rngs=nnx.Rngs(0))
  x = (jnp.asarray(photographs[:, :32, :32]).astype(jnp.float32) - 127.5) / 127.5
  for block in network.blocks:
    for layer in block:
      x = nnx.relu(layer(x))
      assert 0.05 < float(jnp.sqrt(jnp.mean(x * x))) < 5
    x = nnx.max_pool(x, (2, 2), (2, 2))


def test_unknown_names_and_sizes_are_told():
  with pytest.raises(InputError, match="did you mean 'vgg_scratch'"):
    trainable_parameters("vgg_scrach")
  with pytest.raises(InputError, match="input scaling: 'centred' is not one of centered, raw"):
    create_model("softmax", 3, input_scaling="centred", rngs=nnx.Rngs(0))
  with pytest.raises(InputError, match="16 is below 32"):
    create_model("vgg_scratch", 3, image_size=16, rngs=nnx.Rngs(0))


def test_raw_levels_stay_raw(photographs):
  structure, parameters, statistics = _split("softmax", input_scaling="raw")
  images = jnp.asarray(photographs[:2, :32, :32])
  logits, _ = run_network(structure, parameters, statistics, images, train=False)
  kernel, bias = parameters["out"]["kernel"], parameters["out"]["bias"]
  np.testing.assert_allclose(
    logits, images.reshape(2, -1).astype(jnp.float32) @ kernel + bias[None], rtol=1e-3, atol=1e-2
  )
