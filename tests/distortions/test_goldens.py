"""Each op against the reference filters: plain, jitted and vmapped."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdistort.distortions import DISTORTIONS, NoiseTables, marble, twirl

_GOLDENS = Path(__file__).parents[1] / "goldens"
_FILES = {name: np.load(_GOLDENS / f"jhlabs_{name}.npz") for name in ("astronaut", "coffee", "chelsea_97x61")}
_NAMES = {
  "xscale": "x_scale",
  "yscale": "y_scale",
  "xa": "x_amplitude",
  "xw": "x_wavelength",
  "ya": "y_amplitude",
  "yw": "y_wavelength",
}
_CASES = [(name, i) for name, file in _FILES.items() for i in range(len(json.loads(str(file["manifest"]))))]


def _load(name, index):
  file = _FILES[name]
  case = json.loads(str(file["manifest"]))[index]
  parameters = {_NAMES.get(n, n): v for n, v in case["parameters"].items()}
  tables = NoiseTables(file["perlin_permutation"], file["perlin_gradients"])
  return case["filter"], jnp.asarray(file[case["input"]]), parameters, tables, file[case["output"]].astype(int)


def _apply(name, image, parameters, tables):
  if name == "marble":
    return marble(jax.random.key(0), image, **parameters, tables=tables)
  if name == "twirl":
    center = (parameters["cx"], parameters["cy"])
    return twirl(image, parameters["angle"], parameters["radius"], center)
  return DISTORTIONS[name](jax.random.key(0), image, **parameters)


_FORMS = {
  "plain": lambda f, image, parameters: f(image, parameters),
  "jitted": lambda f, image, parameters: jax.jit(f)(image, parameters),
  "vmapped": lambda f, image, parameters: jax.jit(jax.vmap(f))(
    jnp.stack([image, image[::-1]]), jax.tree.map(lambda v: jnp.full(2, v, jnp.float32), parameters)
  )[0],
}


@pytest.mark.parametrize("form", _FORMS)
@pytest.mark.parametrize(("picture", "case"), _CASES)
def test_equals_reference_filter(picture, case, form):
  name, image, parameters, tables, expected = _load(picture, case)
  result = _FORMS[form](lambda i, p: _apply(name, i, p, tables), image, parameters)
  assert result.dtype == jnp.uint8
  difference = np.abs(np.asarray(result, int) - expected)
  if name.endswith("blur"):
    assert difference.max() <= 1
    assert np.mean(difference == 0) >= 0.999
  else:
    assert np.mean(difference <= 1) >= 0.999
    assert np.mean(difference == 0) >= 0.98
