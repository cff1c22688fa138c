"""Recognisers that know nothing, for tests of what is done with their answers."""

import jax

from jaxdistort.inference import Description, Recogniser
from jaxdistort.models import NetworkSpec
from jaxdistort.protocols import pairs
from jaxdistort.tasks import LabelSpace, Recognition
from tests.models.networks import made_up


def small_recogniser(folder, sharding=None):
  """Of pictures of any size, by squares of 32 px, in the label space of `pairs`."""
  protocol = pairs()
  task = Recognition(LabelSpace(protocol.kinds, protocol.groups))
  spec = NetworkSpec("multiscale", task.width, 32)
  structure, variables = made_up(spec)
  variables = variables if sharding is None else jax.device_put(variables, sharding)
  return Recogniser(Description(spec, task, protocol.describe(), "samples", task.view), structure, variables, folder, 0)
