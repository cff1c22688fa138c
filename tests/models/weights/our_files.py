"""Converted files without a foreign one: random arrays in the right shapes."""

import numpy as np

from jaxdistort.models.weights import expected_shapes, find_pretrained
from jaxdistort.models.weights.file import write_weights


def write(path, architecture, *, seed=0, preprocessing="keras"):
  """A file of an architecture with random weights that keep signals in bounds."""
  rng, arrays = np.random.default_rng(seed), {}
  for name, shape in expected_shapes(find_pretrained(architecture)).items():
    if name.endswith("kernel"):
      array = rng.standard_normal(shape, np.float32) * np.float32((2 / np.prod(shape[:-1])) ** 0.5)
    elif name.endswith(("scale", "var")):
      array = rng.uniform(0.2, 0.6, shape) if name.endswith("scale") else rng.uniform(0.8, 1.2, shape)
    else:
      array = rng.normal(0, 0.1, shape)
    arrays[name] = array.astype(np.float32)
  source = path.with_name(f"{path.name}.source")
  source.write_bytes(bytes([seed]))
  return write_weights(path, arrays, architecture=architecture, preprocessing=preprocessing, source=source)
