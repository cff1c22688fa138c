"""The order of training: every picture once an epoch, shuffled, the same on the host and on the device."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxdistort.data import Order
from jaxdistort.errors import InputError


def _numbers(order, count, first=0):
  return order.numbers(np.arange(first, first + count, dtype=np.uint32))


@pytest.mark.parametrize("length", [1, 2, 3, 40, 1000, 3371])
def test_an_epoch_holds_every_picture_once(length):
  order = Order.of((length,), (1.0,), 5)
  epochs = _numbers(order, 3 * length).reshape(3, length)
  np.testing.assert_array_equal(np.sort(epochs), np.tile(np.arange(length), (3, 1)))
  if length > 3:
    assert np.any(epochs[0] != epochs[1])
    assert np.any(epochs[0] != _numbers(Order.of((length,), (1.0,), 6), length))


_on_device = functools.cache(lambda order: jax.jit(order.numbers))


@pytest.mark.long
@pytest.mark.parametrize("order", [Order.of((3371,), (1.0,), 7), Order.of((100, 3000), (1.0, 3.0), 8)])
@pytest.mark.parametrize("first", [0, 5000, 4_000_000_000])
def test_host_and_device_agree(order, first):
  positions = np.arange(first, first + 3000, dtype=np.uint32)
  on_device = _on_device(order)(jnp.asarray(positions))
  assert on_device.dtype == jnp.int32
  np.testing.assert_array_equal(on_device, order.numbers(positions))


@pytest.mark.long
def test_seeds_and_epochs_shuffle_independently():
  orders = np.stack([_numbers(Order.of((4,), (1.0,), seed), 8).reshape(2, 4) for seed in range(300)])
  for part in (orders[:, 0], orders[:, 1], orders[:, 1, :1] * 4 + orders[:, 0, :1]):
    assert stats.chisquare(np.unique(part, axis=0, return_counts=True)[1]).pvalue > 1e-3


def test_a_mix_keeps_its_shares_and_shuffles_them():
  order = Order.of((100, 3000), (1.0, 3.0), 3)
  numbers = _numbers(order, 8 * 1024).reshape(8, 1024)
  first = numbers < 100
  np.testing.assert_array_equal(first.sum(1), [256] * 8)
  assert np.any(first[0] != first[1])
  assert set(np.bincount(numbers[first])) <= {20, 21}  # 20 epochs and a part of the next
  np.testing.assert_array_equal(np.unique(numbers[~first]), np.arange(100, 3100))


def test_what_cannot_be_mixed_is_told():
  with pytest.raises(InputError, match="the least share in a mix is 1/1024"):
    Order.of((10, 10), (1.0, 1e-5), 0)
  with pytest.raises(InputError, match=r"data sources of 10, 0 training pictures"):
    Order.of((10, 0), (1.0, 1.0), 0)
