"""Networks of five outputs for 32 px, each drawn once for all tests."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxdistort.models import NetworkSpec, Variables, create_model, run_network, split_network

run = jax.jit(run_network, static_argnums=0)
# Millions of normal numbers take twenty times as long where the compiler optimises as little as in most tests.
_OPTIMISED = {"xla_backend_optimization_level": 3, "xla_llvm_disable_expensive_passes": False}


def network(name, image_size=32, **options) -> nnx.Module:
  quick = jax.random.key(0, impl="unsafe_rbg")  # the standard generator takes four times as long to compile
  return create_model(name, 5, image_size=image_size, rngs=nnx.Rngs(quick), **options)


def structure(name, image_size=32, **options) -> nnx.GraphDef:
  return split_network(nnx.eval_shape(lambda: network(name, image_size, **options)))[0]


def shapes(name, image_size=32, **options) -> Variables:
  return split_network(nnx.eval_shape(lambda: network(name, image_size, **options)))[1]


@functools.cache
def variables(name, **options) -> Variables:
  return jax.jit(lambda: split_network(network(name, **options))[1], compiler_options=_OPTIMISED)()


def made_up(spec: NetworkSpec) -> tuple[nnx.GraphDef, Variables]:
  """Structure and weights of a network, from numpy's random numbers: nothing is compiled."""
  rng = np.random.default_rng(0)
  structure, like = split_network(nnx.eval_shape(lambda: spec.build(nnx.Rngs(0))))

  def draw(path: tuple, leaf: jax.ShapeDtypeStruct) -> jax.Array:
    drawn = rng.standard_normal(leaf.shape, np.float32) * np.float32(np.sqrt(2 / max(1, np.prod(leaf.shape[:-1]))))
    return jnp.asarray(0.5 + np.abs(drawn) if path[-1].key == "var" else drawn, leaf.dtype)

  return structure, jax.tree_util.tree_map_with_path(draw, like)
