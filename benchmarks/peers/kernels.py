"""The kernels of blurs, for libraries that convolve with any."""

import functools
import math

import numpy as np

_STRIPS = 32  # of a pixel, in which the area that a disk covers is measured


@functools.lru_cache(maxsize=1024)
def disk(radius: float) -> np.ndarray:
  """The share of each pixel that a disk about the middle one covers, float32 [n, n] of sum 1."""
  reach = math.ceil(radius - 0.5)
  middles = np.arange(-reach, reach + 1)
  strips = middles[:, None] + (np.arange(_STRIPS) + 0.5) / _STRIPS - 0.5
  ends = np.sqrt(np.maximum(radius * radius - strips * strips, 0))
  rows = middles[:, None, None]
  shares = np.clip(np.minimum(rows + 0.5, ends) - np.maximum(rows - 0.5, -ends), 0, 1).mean(axis=-1)
  return (shares / shares.sum()).astype(np.float32)


@functools.lru_cache(maxsize=1024)
def line(length: float, angle: float) -> np.ndarray:
  """A straight line through the middle, `length` px long, one pixel wide with soft edges; float32 [n, n] of sum 1."""
  half = (length - 1) / 2
  reach = math.ceil(half) + 1
  x, y = np.meshgrid(np.arange(-reach, reach + 1), np.arange(reach, -reach - 1, -1))
  across = y * math.cos(angle) - x * math.sin(angle)
  beyond = np.maximum(np.abs(x * math.cos(angle) + y * math.sin(angle)) - half, 0)
  weights = np.maximum(1 - np.hypot(across, beyond), 0)
  return (weights / weights.sum()).astype(np.float32)


@functools.lru_cache(maxsize=1024)
def tail(radius: float, sigma: float, angle: float) -> np.ndarray:
  """Weights that fall off like a Gaussian from the middle in one direction, float32 [n, n] of sum 1."""
  steps = np.arange(2 * math.ceil(radius) + 1)
  x, y = (np.ceil(steps * way(angle) - 0.5).astype(int) for way in (math.cos, math.sin))
  reach = int(max(np.abs(x).max(), np.abs(y).max()))
  kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
  np.add.at(kernel, (reach + y, reach + x), np.exp(-(steps**2) / (2 * sigma**2)))
  return (kernel / kernel.sum()).astype(np.float32)
