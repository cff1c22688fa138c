"""Protocols: which distortions are put on pictures, in which shares, with which distributions of their parameters."""

from jaxdistort.distortions.distributions import Constant, Distribution, Power, Uniform, UniformInteger
from jaxdistort.protocols.kinds import Kind
from jaxdistort.protocols.labels import LevelSpec
from jaxdistort.protocols.nuisance import Nuisance
from jaxdistort.protocols.protocol import PROTOCOLS, Protocol, Samples, distort_sharded
from jaxdistort.protocols.stages import Stage
from jaxdistort.protocols.study import pairs, six, variable
from jaxdistort.protocols.tables import dq495k, imagenet_c, kadid10k
from jaxdistort.protocols.wild import wild

__all__ = [
  "PROTOCOLS",
  "Constant",
  "Distribution",
  "Kind",
  "LevelSpec",
  "Nuisance",
  "Power",
  "Protocol",
  "Samples",
  "Stage",
  "Uniform",
  "UniformInteger",
  "distort_sharded",
  "dq495k",
  "imagenet_c",
  "kadid10k",
  "pairs",
  "six",
  "variable",
  "wild",
]
