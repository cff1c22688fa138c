"""Networks of five outputs for 32 px, each drawn once for all tests."""

import functools

import jax
from flax import nnx

from jaxdistort.models import Variables, create_model, run_network, split_network

run = jax.jit(run_network, static_argnums=0)


def network(name, image_size=32, **options) -> nnx.Module:
  quick = jax.random.key(0, impl="unsafe_rbg")  # the standard generator takes four times as long to compile
  return create_model(name, 5, image_size=image_size, rngs=nnx.Rngs(quick), **options)


def structure(name, image_size=32, **options) -> nnx.GraphDef:
  return split_network(nnx.eval_shape(lambda: network(name, image_size, **options)))[0]


def shapes(name, image_size=32, **options) -> Variables:
  return split_network(nnx.eval_shape(lambda: network(name, image_size, **options)))[1]


@functools.cache
def variables(name, **options) -> Variables:
  return jax.jit(lambda: split_network(network(name, **options))[1])()
