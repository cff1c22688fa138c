"""Protocols: which distortions a data set draws, in which shares, with which distributions of their parameters."""

from jaxdistort.protocols.protocol import *  # noqa: F403
from jaxdistort.protocols.protocol import PROTOCOLS, Protocol, Samples, distort_sharded, six, variable

__all__ = ["PROTOCOLS", "Protocol", "Samples", "distort_sharded", "six", "variable"]
