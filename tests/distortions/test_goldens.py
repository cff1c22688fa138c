"""Each op against the reference filters: plain, jitted and vmapped."""

import functools
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdistort.distortions import DISTORTIONS, NoiseTables, marble, twirl

pytestmark = pytest.mark.optimised

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
  parameters = {_NAMES.get(n, n): jnp.float32(v) for n, v in case["parameters"].items()}
  tables = NoiseTables(jnp.asarray(file["perlin_permutation"]), jnp.asarray(file["perlin_gradients"]))
  return case["filter"], jnp.asarray(file[case["input"]]), parameters, tables, file[case["output"]].astype(int)


def _apply(name, image, parameters, tables):
  if name == "marble":
    return marble(jax.random.key(0), image, **parameters, tables=tables)
  if name == "twirl":
    own = {n: parameters[n] for n in ("angle", "radius")}
    return twirl(image, **own, center=(parameters["cx"], parameters["cy"]))
  return DISTORTIONS[name](jax.random.key(0), image, **parameters)


@functools.cache  # so that a filter is compiled once for a form and a size
def _jitted(name):
  return jax.jit(functools.partial(_apply, name))


@functools.cache
def _vmapped(name):
  return jax.jit(jax.vmap(functools.partial(_apply, name), (0, 0, None)))


def _one_of_two(name, image, parameters, tables):
  pair = jax.tree.map(lambda v: jnp.stack([v, v]), parameters)
  return _vmapped(name)(jnp.stack([image, image[::-1]]), pair, tables)[0]


_FORMS = {"plain": _apply, "jitted": lambda name, *arguments: _jitted(name)(*arguments), "vmapped": _one_of_two}


@pytest.mark.long
@pytest.mark.parametrize(
  "form", [*(pytest.param(form, marks=pytest.mark.slow) for form in ("plain", "jitted")), "vmapped"]
)
@pytest.mark.parametrize(("picture", "case"), _CASES)
def test_equals_reference_filter(picture, case, form):
  name, image, parameters, tables, expected = _load(picture, case)
  result = _FORMS[form](name, image, parameters, tables)
  assert result.dtype == jnp.uint8
  difference = np.abs(np.asarray(result, int) - expected)
  if name.endswith("blur"):
    assert difference.max() <= 1
    assert np.mean(difference == 0) >= 0.999
  else:
    assert np.mean(difference <= 1) >= 0.999
    assert np.mean(difference == 0) >= 0.98
