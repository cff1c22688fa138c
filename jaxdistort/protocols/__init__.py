"""Protocols: which distortions are put on pictures, in which shares, with which distributions of their parameters."""

from jaxdistort.distortions.distributions import Constant, Distribution, Uniform, UniformInteger
from jaxdistort.protocols.protocol import PROTOCOLS, LevelSpec, Protocol, Samples, distort_sharded
from jaxdistort.protocols.stages import Kind, Stage
from jaxdistort.protocols.study import six, variable

__all__ = [
  "PROTOCOLS",
  "Constant",
  "Distribution",
  "Kind",
  "LevelSpec",
  "Protocol",
  "Samples",
  "Stage",
  "Uniform",
  "UniformInteger",
  "distort_sharded",
  "six",
  "variable",
]
