"""The data sets of the study: one distortion a picture."""

from jaxdistort.distortions.distributions import Uniform, UniformInteger, distribution_of
from jaxdistort.distortions.severities import PAPER
from jaxdistort.protocols.protocol import PROTOCOLS, Protocol
from jaxdistort.protocols.stages import Kind, Stage

_SIX = ("gaussian_blur", "motion_blur", "gaussian_noise", "monochrome_noise", "marble", "twirl")


@PROTOCOLS.register("six")
def six(jpeg_quality: int | None = 75) -> Protocol:
  """The study's first data set: clean pictures and six distortions with constant parameters, in equal parts."""
  kinds = [Kind(name, {n: distribution_of(value) for n, value in PAPER.parameters(name).items()}) for name in _SIX]
  return Protocol("six", (Stage(tuple(kinds), untouched=1),), jpeg_quality)


@PROTOCOLS.register("variable")
def variable(jpeg_quality: int | None = 75) -> Protocol:
  """The study's second data set: clean pictures, Gaussian blur and Gaussian noise of varying strength, 1 : 4 : 4."""
  kinds = (
    Kind("gaussian_blur", {"radius": Uniform(1, 11)}, 4),
    # Above 1 a density counts as 1, as in the study.
    Kind("gaussian_noise", {"amount": UniformInteger(1, 26), "density": Uniform(0.1, 1.1)}, 4),
  )
  return Protocol("variable", (Stage(kinds, untouched=1),), jpeg_quality)
