"""Recognisers that know nothing, for tests of what is done with their answers."""

import jax

from jaxdistort.inference import Description, Recogniser
from jaxdistort.models import NetworkSpec
from jaxdistort.protocols import pairs
from jaxdistort.tasks import LabelSpace, Recognition
from tests.models.networks import made_up


def small_recogniser(folder, sharding=None, labels=None):
  """Of pictures of any size, by squares of 32 px; its label space is that of `pairs` if not given."""
  protocol = pairs()
  task = Recognition(labels or LabelSpace(protocol.kinds, protocol.groups))
  spec = NetworkSpec("multiscale", task.width, 32)
  structure, variables = made_up(spec)
  variables = variables if sharding is None else jax.device_put(variables, sharding)
  return Recogniser(Description(spec, task, protocol.describe(), "samples", task.view), structure, variables, folder, 0)
