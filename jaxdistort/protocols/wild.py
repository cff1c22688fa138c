"""Pictures as people have them: several distortions at once or none, slight ones, and nuisance."""

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
_SENSOR = ("gaussian_noise", "camera_noise", "shot_noise", "impulse_noise")
_PROCESSING = ("sharpen", "denoise", "upscaled_bilinear", "upscaled_bicubic", "pixelate")
_CODING = ("jpeg", "jpeg2000", "banding", "block_loss")
_SEVERITY = Power(0, 1, 1.5)  # a quarter is too slight to be seen


@PROTOCOLS.register("wild")
def wild(jpeg_quality: int | None = None) -> Protocol:
  """Five stages (optics and motion, light and colour, sensor, processing, coding), each for a quarter of the pictures.

  So about a third of them are clean or nearly so. Severities are perceptual, slight ones frequent. Pictures come out
  half as wide and high as the clean ones that go in; see `Nuisance`.
  """
  stages = (_stage(names) for names in (_OPTICS, _LIGHT, _SENSOR, _PROCESSING, _CODING))
  return Protocol("wild", tuple(stages), jpeg_quality, Nuisance(camera_before=2))


def _stage(names: tuple[str, ...]) -> Stage:
  kinds = tuple(Kind(name, severity=_SEVERITY) for name in names)
  return Stage(kinds, untouched=3 * len(kinds), shuffled=True)
