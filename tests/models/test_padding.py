"""Pictures that do not fill their square: what is padding changes no answer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdistort.models import is_any_size, run_network
from jaxdistort.models.padding import mean_of_map
from tests.models.networks import run, shapes, structure, variables

ANY_SIZE = [  # resnet_transfer is within sgdnet_transfer
  ("compact", {"pool": True}),
  ("multiscale", {}),
  pytest.param("sgdnet_transfer", {}, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("side", "places"), [(64, 4), (47, 3), (33, 2), (65, 4)])  # 33 and 65: a row too many is cut
def test_a_mean_counts_each_place_by_its_share_of_picture(side, places):
  rng, stride = np.random.default_rng(side), 16
  x = rng.normal(size=(2, places, places, 3)).astype(np.float32)
  mask = rng.random((2, side, side)) < [[[0.3]], [[0.9]]]
  expected = np.zeros((2, 3))
  for picture in range(2):
    weights = np.array(
      [
        [mask[picture, i * stride : (i + 1) * stride, j * stride : (j + 1) * stride].mean() for j in range(places)]
        for i in range(places)
      ]
    )
    expected[picture] = (x[picture] * weights[..., None]).sum((0, 1)) / weights.sum()
  found = jax.jit(lambda x, mask: mean_of_map(x, mask, stride=stride))(x, mask)
  np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.long
def test_a_mean_of_whole_pictures_is_the_plain_one_and_of_none_is_zero():
  x = jax.random.normal(jax.random.key(0), (3, 7, 7, 64), jnp.bfloat16)
  mask = jnp.zeros((3, 224, 224), bool).at[0].set(True).at[2, 32:64, 64:96].set(True)
  means = jax.jit(lambda x, mask: mean_of_map(x, mask, stride=32, dtype=jnp.float32))(x, mask)
  np.testing.assert_array_equal(means[0], jax.jit(lambda x: mean_of_map(x, stride=32, dtype=jnp.float32))(x)[0])
  np.testing.assert_array_equal(means[1], 0)
  np.testing.assert_array_equal(means[2], x[2, 1, 2].astype(jnp.float32))
  assert mean_of_map(x, mask, stride=32).dtype == jnp.bfloat16


@pytest.mark.long
@pytest.mark.usefixtures("short_resnet")
@pytest.mark.parametrize(("name", "options"), ANY_SIZE)
def test_padding_is_left_out(name, options, photographs):
  network, arrays = structure(name, **options), variables(name, **options)
  assert is_any_size(network, arrays)
  images = jnp.asarray(photographs[:4])  # 64 px, where the network was built for 32
  plain, _ = run(network, arrays, images)
  whole, _ = run(network, arrays, images, mask=jnp.ones((4, 64, 64), bool))
  np.testing.assert_array_equal(whole, plain)

  mask = jnp.zeros((4, 64, 64), bool).at[:, :64, :32].set(True)
  masked, noise = (
    run(network, arrays, jnp.where(mask[..., None], images, padding), mask=mask)[0]
    for padding in (jnp.uint8(0), jax.random.bits(jax.random.key(0), images.shape, jnp.uint8))
  )
  np.testing.assert_array_equal(masked, noise, err_msg="it is of no matter what is in the padding")
  alone, _ = run(network, arrays, images[:, :, :32])
  grey, _ = run(network, arrays, jnp.where(mask[..., None], images, jnp.uint8(127)))
  assert np.abs(masked - alone).mean() < 0.5 * np.abs(grey - alone).mean(), "nearly as if the picture stood alone"


def test_a_network_of_one_size_refuses_a_mask():
  for name in ("softmax", "vgg_scratch", "compact"):
    network, arrays = structure(name), shapes(name)
    assert not is_any_size(network, arrays)
    images, mask = jax.ShapeDtypeStruct((2, 32, 32, 3), jnp.uint8), jnp.ones((2, 32, 32), bool)
    with pytest.raises(ValueError, match="sees whole pictures of one size and cannot leave out padding"):
      jax.eval_shape(lambda *given, net=network, mask=mask: run_network(net, *given, mask=mask), arrays, images)


@pytest.mark.usefixtures("short_resnet")
def test_resnet_alone_takes_a_mask_too():
  network, arrays = structure("resnet_transfer"), shapes("resnet_transfer")
  images, mask = jax.ShapeDtypeStruct((2, 70, 70, 3), jnp.uint8), jax.ShapeDtypeStruct((2, 70, 70), bool)
  outputs, _ = jax.eval_shape(lambda *given, mask: run_network(network, *given, mask=mask), arrays, images, mask=mask)
  assert outputs.shape == (2, 5)
