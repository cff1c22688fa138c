"""OpenCV's distortions of light, colour and resolution."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

_LEVELS = np.arange(256, dtype=np.float32)
_LIGHT = np.where(_LEVELS <= 0.04045 * 255, _LEVELS / (255 * 12.92), ((_LEVELS / 255 + 0.055) / 1.055) ** 2.4)

Picture = np.ndarray


class Tones:
  """What `OpenCV` does with the levels and the size of pictures, uint8 [S, S, 3], blue first.

  What is one function of the level is a look-up in a table, made anew for each picture.

  Attributes:
    _cv2: OpenCV.
  """

  _cv2: Any

  def _look_up(self, image: Picture, result: Picture, table: np.ndarray) -> None:
    """By a table of levels, not rounded, [256] or, for each channel its own, [256, 3]."""
    rounded = np.floor(np.clip(table, 0, 255) + 0.5).astype(np.uint8)
    self._cv2.LUT(image, rounded if rounded.ndim == 1 else rounded[None], dst=result)

  def _exposure(self, image: Picture, result: Picture, *, stops: float) -> None:
    self._look_up(image, result, _from_light(_LIGHT * 2**stops))

  _overexposure = _underexposure = _exposure

  def _colour_cast(self, image: Picture, result: Picture, *, amount: float, hue: float) -> None:
    gains = 2 ** (amount * np.cos(hue - 2 * math.pi / 3 * np.arange(2, -1, -1)))
    self._look_up(image, result, _from_light(_LIGHT[:, None] * gains))

  def _mean_shift(self, image: Picture, result: Picture, *, shift: float) -> None:
    self._look_up(image, result, _LEVELS + shift)

  def _contrast(self, image: Picture, result: Picture, *, factor: float) -> None:
    means = np.float32(self._cv2.mean(image)[:3])
    self._look_up(image, result, (_LEVELS[:, None] - means) * factor + means)

  _low_contrast = _high_contrast = _contrast

  def _contrast_curve(self, image: Picture, result: Picture, *, amount: float) -> None:
    x = _LEVELS / 255
    self._look_up(image, result, 255 * (x + amount / 0.168 * (x - 0.5) * x * (1 - x)))

  def _darken(self, image: Picture, result: Picture, *, amount: float) -> None:
    self._look_up(image, result, 255 * _lifted(_LEVELS / 255, -amount))

  def _brighten(self, image: Picture, result: Picture, *, amount: float) -> None:
    def lighter(lab: np.ndarray) -> None:
      lab[..., 0] = 100 * _lifted(lab[..., 0] / 100, amount)

    self._in_colours("Lab", image, result, lighter)
    curved = np.empty_like(image)
    self._look_up(image, curved, 255 * _lifted(_LEVELS / 255, amount))
    self._cv2.addWeighted(curved, 2 / 3, result, 1 / 3, 0, dst=result)

  def _banding(self, image: Picture, result: Picture, *, levels: float) -> None:
    steps = int(levels) - 1
    self._look_up(image, result, np.floor(_LEVELS * (steps / 255) + 0.5) * (255 / steps))

  def _brightness(self, image: Picture, result: Picture, *, shift: float) -> None:
    def brighter(hsv: np.ndarray) -> None:
      hsv[..., 2] = np.minimum(hsv[..., 2] + shift / 255, 1)

    self._in_colours("HSV", image, result, brighter)

  def _saturation(self, image: Picture, result: Picture, *, scale: float, shift: float) -> None:
    def saturated(hsv: np.ndarray) -> None:
      hsv[..., 1] = np.clip(hsv[..., 1] * scale + shift, 0, 1)

    self._in_colours("HSV", image, result, saturated)

  _desaturation = _oversaturation = _saturation

  def _lab_saturation(self, image: Picture, result: Picture, *, factor: float) -> None:
    def saturated(lab: np.ndarray) -> None:
      lab[..., 1:] *= factor

    self._in_colours("Lab", image, result, saturated)

  def _colour_diffusion(self, image: Picture, result: Picture, *, sigma: float, saturation: float) -> None:
    def diffused(lab: np.ndarray) -> None:
      lab[..., 1:] = self._blurred(lab[..., 1:], sigma) * saturation

    self._in_colours("Lab", image, result, diffused)

  def _sharpen(self, image: Picture, result: Picture, *, amount: float, radius: float) -> None:
    def sharpened(lab: np.ndarray) -> None:
      lab[..., 0] += amount * (lab[..., 0] - self._blurred(lab[..., 0], radius))

    self._in_colours("Lab", image, result, sharpened)

  def _blurred(self, planes: np.ndarray, sigma: float) -> np.ndarray:
    side = 2 * math.ceil(2 * sigma) + 1
    border = self._cv2.BORDER_REPLICATE
    return self._cv2.GaussianBlur(np.ascontiguousarray(planes), (side, side), sigma, borderType=border)

  def _in_colours(self, space: str, image: Picture, result: Picture, change: Callable[[np.ndarray], None]) -> None:
    """Changes a picture float32 in another colour space, in place."""
    there, back = (getattr(self._cv2, f"COLOR_{way}") for way in (f"BGR2{space}", f"{space}2BGR"))
    colours = self._cv2.cvtColor(np.multiply(image, np.float32(1 / 255), dtype=np.float32), there)
    change(colours)
    self._cv2.multiply(self._cv2.cvtColor(colours, back), (255,) * 4, dst=result, dtype=self._cv2.CV_8U)

  def _pixelate(self, image: Picture, result: Picture, *, scale: float) -> None:
    self._through_small(image, result, scale, self._cv2.INTER_AREA, self._cv2.INTER_NEAREST)

  _upscaled_nearest = _pixelate

  def _subsampled(self, image: Picture, result: Picture, *, scale: float) -> None:
    self._through_small(image, result, scale, self._cv2.INTER_NEAREST_EXACT, self._cv2.INTER_NEAREST_EXACT)

  def _upscaled_bilinear(self, image: Picture, result: Picture, *, scale: float) -> None:
    self._through_small(image, result, scale, self._cv2.INTER_AREA, self._cv2.INTER_LINEAR)

  def _upscaled_bicubic(self, image: Picture, result: Picture, *, scale: float) -> None:
    self._through_small(image, result, scale, self._cv2.INTER_AREA, self._cv2.INTER_CUBIC)

  def _through_small(self, image: Picture, result: Picture, scale: float, down: int, up: int) -> None:
    sides = [max(1, int(side * scale)) for side in image.shape[1::-1]]
    small = self._cv2.resize(image, sides, interpolation=down)
    self._cv2.resize(small, image.shape[1::-1], dst=result, interpolation=up)


def _from_light(light: np.ndarray) -> np.ndarray:
  """Levels, not rounded, of linear light of which white is 1."""
  light = np.minimum(light, 1)
  return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _lifted(x: np.ndarray, amount: float) -> np.ndarray:
  """The parabola through (0, 0), (1/2, 1/2 + amount / 2) and (1, 1), clipped to 0..1."""
  return np.clip(x + 2 * amount * x * (1 - x), 0, 1)
