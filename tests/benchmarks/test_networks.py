"""The networks beside other libraries': the same shapes, whatever is installed; and the rows."""

import importlib.util

import jax
import pytest

from benchmarks.networks import NETWORKS, time_networks
from benchmarks.timing import Stopwatch
from benchmarks.torch_networks import build_network, layers_of, scaled_planes
from jaxdistort.models import trainable_parameters


@pytest.mark.parametrize("size", [32, 96, 224])
@pytest.mark.parametrize("name", NETWORKS)
def test_layers_fit_each_other_and_are_those_of_our_network(name, size):
  layers = layers_of(name, size, 7)
  assert sum(layer.parameters for layer in layers) == trainable_parameters(name, 7, image_size=size)
  channels, side, flat = 3, size, 0
  for layer in layers:
    if layer.kind == "blocks":
      channels, side = 4 * channels, side // 2
    elif layer.kind == "pool":
      side //= 2
    elif layer.kind == "convolution":
      assert layer.inputs == channels
      channels, side = layer.outputs, -(-side // layer.stride)
    else:
      assert layer.inputs == (flat or channels * side * side)
      flat = layer.outputs
  assert flat == 7


@pytest.mark.long
def test_rows(monkeypatch):
  found = importlib.util.find_spec
  hidden = ("torch", "onnx", "onnxruntime")
  monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name in hidden else found(name, *rest))
  with jax.numpy_dtype_promotion("standard"):  # optax's Adam divides by a power of the whole number of steps
    rows, missing = time_networks(Stopwatch(0, 1), "compact", size=32, batch_size=2)
  assert [(row["op"], row["library"]) for row in rows] == [
    ("answers of compact, 32 px", "jaxdistort"),
    ("training step of compact, 32 px", "jaxdistort"),
  ]
  assert all(row["pictures_per_second"] > 0 for row in rows)
  assert len(missing) == 2


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
def test_pytorch_takes_the_pictures():
  import numpy as np

  network = build_network(layers_of("compact", 32, 7))
  assert network(scaled_planes(np.zeros((2, 32, 32, 3), np.uint8))).shape == (2, 7)
