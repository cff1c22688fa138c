"""The rate that a run shows, and the parts in which a batch fits the memory."""

import dataclasses

import jax
import pytest
from flax import nnx

from jaxdistort.models import split_network
from jaxdistort.runtime.mesh import create_mesh
from jaxdistort.training import memory, monitor
from tests.training.tiny import get_config


def test_the_rate_is_that_of_the_last_steps(monkeypatch):
  """Neither compilation before the first step nor a validation between steps counts."""
  now = 0.0
  monkeypatch.setattr(monitor.time, "perf_counter", lambda: now)
  rate = monitor.Rate(10)
  now = 60.0  # compiled for a minute
  rate.add(1)
  assert rate.pictures_per_second is None
  for _ in range(50):
    now += 2
    rate.add(1)
  assert rate.pictures_per_second == pytest.approx(5)
  for _ in range(30):  # faster now: the old steps are forgotten
    now += 1
    rate.add(1)
  assert rate.pictures_per_second == pytest.approx(10)
  rate.pause()
  now += 100  # a validation
  rate.add(1)
  assert rate.pictures_per_second == pytest.approx(10)


def test_parts_that_fit_are_few_and_divide_the_batch(monkeypatch):
  config = get_config()
  mesh = create_mesh(devices=jax.devices()[:1])
  for name, free, expected in (
    ("vgg_scratch", 1e15, 1),
    ("vgg_scratch", 4e8, 8),
    ("compact", 1.0, 1),  # batch normalisation: its update depends on the parts
  ):
    spec = dataclasses.replace(config.resolved(None).network_spec(3), name=name)
    structure, variables = split_network(nnx.eval_shape(lambda spec=spec: spec.build(nnx.Rngs(0))))
    monkeypatch.setattr(memory, "free_memory", lambda mesh, free=free: free)
    found = memory.parts_that_fit(structure, variables, 8, 32, mesh)
    assert (found, 8 % found) == (expected, 0)
