"""Compiler options: equal answers, and none where the compiler does not know them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdistort.runtime import compilation
from jaxdistort.runtime.compilation import fast_options, jit_inference, jit_training

pytestmark = pytest.mark.optimised


@pytest.fixture
def probe_anew():
  compilation._knows_fast.cache_clear()
  yield
  compilation._knows_fast.cache_clear()


@pytest.mark.long
def test_answers_with_and_without_the_options_agree():
  shapes = (8, 12, 12, 16), (3, 3, 16, 32), (32, 5)
  x, kernel, weights = (jax.random.normal(jax.random.key(i), shape) for i, shape in enumerate(shapes))

  def answer(x):
    maps = jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return jax.nn.softmax(maps.mean((1, 2)) @ weights)

  assert fast_options("inference")
  np.testing.assert_allclose(jit_inference(answer)(x), jax.jit(answer)(x), rtol=1e-5)


def test_jit_keeps_its_arguments():
  assert jit_inference(lambda x, n: x + n, static_argnums=1)(jnp.float32(1), 2.0) == 3
  donated = jnp.ones(4)
  jit_training(lambda x: x + 1, donate_argnums=0)(donated)
  assert donated.is_deleted()


def test_training_has_no_options():
  assert fast_options("training") is None


@pytest.mark.usefixtures("probe_anew")
def test_an_option_that_the_compiler_does_not_know_is_left_out(monkeypatch):
  monkeypatch.setattr(compilation, "_FAST", {"xla_cpu_no_such_option": "1"})
  assert fast_options("inference") is None
  assert jit_inference(lambda x: x + 1)(jnp.float32(1)) == 2


@pytest.mark.usefixtures("probe_anew")
def test_other_backends_have_none(monkeypatch):
  monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
  assert fast_options("inference") is None


def test_programs_with_the_options_are_kept(tmp_path):
  from jax.experimental.compilation_cache import compilation_cache

  names = {
    "jax_compilation_cache_dir": str(tmp_path),
    "jax_persistent_cache_min_compile_time_secs": 0.0,
    "jax_persistent_cache_min_entry_size_bytes": -1,
  }
  before = {name: getattr(jax.config, name) for name in names}
  try:
    for name, value in names.items():
      jax.config.update(name, value)
    compilation_cache.reset_cache()
    jit_inference(lambda x: (x @ x).sum() * 3)(jnp.ones((16, 16)))
    assert list(tmp_path.iterdir())
  finally:
    for name, value in before.items():
      jax.config.update(name, value)
    compilation_cache.reset_cache()
