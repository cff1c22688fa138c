"""kornia's distortions of light, colour and resolution."""

import math
from collections.abc import Callable
from typing import Any

Op = Callable[[], Any]


class Tones:
  """What `Kornia` does with the levels and the size of pictures.

  Attributes:
    _images: float32 [B, 3, S, S] within 0..1.
    _torch: PyTorch.
  """

  _images: Any
  _torch: Any

  def _exposure(self, values: dict[str, Any]) -> Op:
    return self._light_times(values["stops"].exp2()[:, None, None, None])

  _overexposure = _underexposure = _exposure

  def _colour_cast(self, values: dict[str, Any]) -> Op:
    channels = self._torch.arange(3, device=self._images.device) * (2 * math.pi / 3)
    gains = (values["amount"][:, None] * (values["hue"][:, None] - channels).cos()).exp2()
    return self._light_times(gains[:, :, None, None])

  def _light_times(self, gains: Any) -> Op:
    from kornia.color import linear_rgb_to_rgb, rgb_to_linear_rgb

    return lambda: linear_rgb_to_rgb((rgb_to_linear_rgb(self._images) * gains).clamp(0, 1))

  def _mean_shift(self, values: dict[str, Any]) -> Op:
    from kornia.enhance import adjust_brightness

    shift = values["shift"] / 255
    return lambda: adjust_brightness(self._images, shift)

  def _contrast(self, values: dict[str, Any]) -> Op:
    from kornia.enhance import adjust_contrast_with_mean_subtraction

    factor = values["factor"]
    return lambda: adjust_contrast_with_mean_subtraction(self._images, factor)

  _low_contrast = _high_contrast = _contrast

  def _brightness(self, values: dict[str, Any]) -> Op:
    from kornia.color import hsv_to_rgb, rgb_to_hsv

    shift = values["shift"][:, None, None, None] / 255

    def call() -> Any:
      hsv = rgb_to_hsv(self._images)
      return hsv_to_rgb(self._torch.cat([hsv[:, :2], (hsv[:, 2:] + shift).clamp(max=1)], dim=1))

    return call

  def _saturation(self, values: dict[str, Any]) -> Op:
    from kornia.enhance import adjust_saturation

    factor = values["scale"]
    return lambda: adjust_saturation(self._images, factor)

  _desaturation = _oversaturation = _saturation

  def _lab_saturation(self, values: dict[str, Any]) -> Op:
    from kornia.color import lab_to_rgb, rgb_to_lab

    factor = values["factor"][:, None, None, None]

    def call() -> Any:
      lab = rgb_to_lab(self._images)
      return lab_to_rgb(self._torch.cat([lab[:, :1], lab[:, 1:] * factor], dim=1))

    return call

  def _colour_diffusion(self, values: dict[str, Any]) -> Op:
    from kornia.color import lab_to_rgb, rgb_to_lab
    from kornia.filters import gaussian_blur2d

    factor, sigma = values["saturation"][:, None, None, None], values["sigma"][:, None].repeat(1, 2)
    side = 2 * math.ceil(2 * float(values["sigma"].max())) + 1

    def call() -> Any:
      lab = rgb_to_lab(self._images)
      colours = gaussian_blur2d(lab[:, 1:], (side, side), sigma, border_type="replicate") * factor
      return lab_to_rgb(self._torch.cat([lab[:, :1], colours], dim=1))

    return call

  def _sharpen(self, values: dict[str, Any]) -> Op:
    from kornia.filters import unsharp_mask

    sigma = values["radius"][:, None].repeat(1, 2)
    side = 2 * math.ceil(2 * float(values["radius"].max())) + 1
    return lambda: unsharp_mask(self._images, (side, side), sigma, border_type="replicate")

  def _banding(self, values: dict[str, Any]) -> Op:
    from kornia.enhance import posterize

    bits = values["levels"].log2().round().int()
    return lambda: posterize(self._images, bits)

  def _pixelate(self, values: dict[str, Any]) -> Op:
    return self._through_small(values, "nearest")

  _upscaled_nearest = _pixelate

  def _upscaled_bilinear(self, values: dict[str, Any]) -> Op:
    return self._through_small(values, "bilinear")

  def _upscaled_bicubic(self, values: dict[str, Any]) -> Op:
    return self._through_small(values, "bicubic")

  def _through_small(self, values: dict[str, Any], filter: str) -> Op:
    from kornia.geometry.transform import resize

    side = self._images.shape[-1]
    small = max(1, int(float(values["scale"][0]) * side))
    return lambda: resize(resize(self._images, (small, small), "area"), (side, side), filter)
