"""Shuffles that are computed, not stored: on the host as on the device, the same on both."""

from typing import Any

import numpy as np

_ROUNDS = 40


def permute(places: Any, length: int, key: Any) -> Any:
  """Where a shuffle puts places of 0..length-1; every key gives one permutation.

  Costs the same for any length, and needs no memory: each of 40 rounds pairs x with k - x (modulo the length), and
  a random bit of the pair swaps it or not.

  Args:
    places: uint32 [N], of numpy or JAX, each below `length`.
    length: 1..2^31-1.
    key: uint32 [N] (of JAX also []), best of `mix32`.

  Returns:
    uint32 [N], each below `length`.

  Source: V. T. Hoang, B. Morris, P. Rogaway, An enciphering scheme based on a card shuffle (swap-or-not), CRYPTO 2012.
  """
  for turn in range(_ROUNDS):
    round_key = mix32(key + np.uint32(turn * 0x85EBCA6B % 2**32))
    partner = (round_key % np.uint32(length) + (np.uint32(length) - places)) % np.uint32(length)
    larger = places + (partner - places) * (partner > places).astype(np.uint32)
    swapped = mix32(mix32(larger) + round_key) >> np.uint32(31)
    places = places + (partner - places) * swapped
  return places


def mix32(x: Any) -> Any:
  """A hash of 32 bits, one to one: uint32 [...] -> uint32 [...], of numpy or JAX.

  Source: the finaliser of MurmurHash3 (A. Appleby), behind an odd constant that moves 0.
  """
  x = x + np.uint32(0x9E3779B9)
  x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
  x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
  return x ^ (x >> np.uint32(16))
