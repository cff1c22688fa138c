"""Pictures as people have them: several distortions at once or none, slight ones, and nuisance."""

from collections import Counter

from jaxdistort.distortions.distributions import Power
from jaxdistort.protocols.kinds import Kind
from jaxdistort.protocols.nuisance import Nuisance
from jaxdistort.protocols.protocol import PROTOCOLS, Protocol
from jaxdistort.protocols.stages import Stage

_OPTICS = ("gaussian_blur", "defocus_blur", "linear_motion_blur", "camera_shake", "zoom_blur")
_LIGHT = (
  *("overexposure", "underexposure", "low_contrast", "high_contrast", "fog"),
  *("colour_cast", "desaturation", "oversaturation"),
)
_SENSOR = ("gaussian_noise", "camera_noise", "camera_noise", "shot_noise", "impulse_noise")  # people's is a camera's
_PROCESSING = ("sharpen", "denoise", "upscaled_bilinear", "upscaled_bicubic", "pixelate")
_CODING = ("jpeg", "jpeg2000", "banding", "block_loss")
_SEVERITY = Power(0, 1, 1.5)  # a quarter is too slight to be seen
_STOPS = {  # real ones go beyond what a severity of 1 is (1.6 and -1.8 stops)
  "overexposure": Power(0, 3, 1.5),
  "underexposure": Power(0, -4.5, 1.5),
}


@PROTOCOLS.register("wild")
def wild(jpeg_quality: int | None = None) -> Protocol:
  """Five stages (optics and motion, light and colour, sensor, processing, coding), each for a quarter of the pictures.

  So about a third of them are clean or nearly so. Severities are perceptual, slight ones frequent; of exposure the
  stops are drawn, up to those of a picture that is all but lost. Pictures come out less than half as wide and high as
  the clean ones that go in; see `Nuisance`.
  """
  stages = (_stage(names) for names in (_OPTICS, _LIGHT, _SENSOR, _PROCESSING, _CODING))
  return Protocol("wild", tuple(stages), jpeg_quality, Nuisance(camera_before=2))


def _stage(names: tuple[str, ...]) -> Stage:
  """A stage; a name given twice has twice the share."""
  kinds = tuple(_kind(name, share) for name, share in Counter(names).items())
  return Stage(kinds, untouched=3 * len(names), shuffled=True)


def _kind(name: str, share: int) -> Kind:
  if name in _STOPS:
    return Kind(name, {"stops": _STOPS[name]}, share)
  return Kind(name, share=share, severity=_SEVERITY)
