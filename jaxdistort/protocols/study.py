"""The data sets of the study."""

import itertools

from jaxdistort.distortions.distributions import Uniform, UniformInteger, distribution_of
from jaxdistort.distortions.severities import PAPER
from jaxdistort.protocols.kinds import Kind
from jaxdistort.protocols.protocol import PROTOCOLS, Protocol
from jaxdistort.protocols.stages import Stage

_SIX = ("gaussian_blur", "motion_blur", "gaussian_noise", "monochrome_noise", "marble", "twirl")


@PROTOCOLS.register("six")
def six(jpeg_quality: int | None = 75) -> Protocol:
  """The study's first data set: clean pictures and six distortions with constant parameters, in equal parts."""
  return Protocol("six", (Stage(_kinds_of_six(), untouched=1),), jpeg_quality)


@PROTOCOLS.register("variable")
def variable(jpeg_quality: int | None = 75) -> Protocol:
  """The study's second data set: clean pictures, Gaussian blur and Gaussian noise of varying strength, 1 : 4 : 4."""
  kinds = (
    Kind("gaussian_blur", {"radius": Uniform(1, 11)}, 4),
    # Above 1 a density counts as 1, as in the study.
    Kind("gaussian_noise", {"amount": UniformInteger(1, 26), "density": Uniform(0.1, 1.1)}, 4),
  )
  return Protocol("variable", (Stage(kinds, untouched=1),), jpeg_quality)


@PROTOCOLS.register("pairs")
def pairs(jpeg_quality: int | None = 75) -> Protocol:
  """Two different ones of the first data set's distortions, one after the other: every pair, in both orders, alike.

  The study's code makes such pictures; its results have none.
  """
  kinds = _kinds_of_six()
  both = itertools.permutations(range(len(kinds)), 2)
  stages = (Stage(kinds, shuffled=True, turns=turns, deck=0) for turns in zip(*both, strict=True))
  return Protocol("pairs", tuple(stages), jpeg_quality)


def _kinds_of_six() -> tuple[Kind, ...]:
  constants = {name: PAPER.parameters(name) for name in _SIX}
  return tuple(Kind(name, {n: distribution_of(v) for n, v in own.items()}) for name, own in constants.items())
