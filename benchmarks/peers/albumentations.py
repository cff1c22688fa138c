"""albumentations' distortions."""

import math
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import numpy as np

from benchmarks.peers.work import Work
from benchmarks.timing import Turn, calling, count_processors


class Albumentations:
  """albumentations' transforms on uint8 [S, S, 3], one for each picture; a thread for each processor over the pictures.

  Most of its work is OpenCV's and NumPy's, for which other threads need not wait.
  """

  name = "albumentations"
  _NOTES: ClassVar = {
    "gaussian_blur": "cut off elsewhere",
    "linear_motion_blur": "whole lengths, odd",
    "box_blur": "whole widths",
    "defocus_blur": "whole radii",
    "glass_blur": "its fast mode, in which pixels are exchanged all at once",
    "gaussian_noise": "no density",
    "monochrome_noise": "no density",
    "impulse_noise": "of whole pixels, not of single values",
    "speckle_noise": "uniform, not normal",
    "shot_noise": "in linear light, of a power of 2.2",
    "camera_noise": "white noise of lightness and hue (ISONoise)",
    "low_contrast": "about the mean of the grey picture",
    "high_contrast": "about the mean of the grey picture",
    "brightness": "in HSV of whole levels",
    "desaturation": "towards the grey picture, not in HSV",
    "oversaturation": "away from the grey picture, not in HSV",
    "sharpen": "of R, G and B, not of L*; an amount of 1",
    "banding": "drops bits",
    "fog": "draws discs of haze",
    "snow": "lightens what is bright; no flakes, no motion",
    "upscaled_nearest": "shrunk by area",
    "upscaled_bilinear": "shrunk by area",
    "upscaled_bicubic": "shrunk by area",
    "jpeg": "encodes and decodes a file, in which red and blue are exchanged",
  }

  def __init__(self, images: np.ndarray):
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it asks the network for newer versions
    import albumentations
    import cv2

    self._library: Any = albumentations
    self._cv2: Any = cv2
    cv2.setNumThreads(1)
    threads = count_processors()
    self.device = f"cpu, {threads} threads"
    self._pool = ThreadPoolExecutor(threads)
    self._images = images
    self._results: list[np.ndarray] = list(images)

  def note(self, work: Work) -> str:
    return self._NOTES.get(work.distortion, "")

  def results(self) -> np.ndarray:
    """What the last call made, uint8 [B, S, S, 3]."""
    return np.stack(self._results)

  def turn(self, work: Work) -> Turn | None:
    build = getattr(self, f"_{work.distortion}", None)
    if build is None:
      return None
    transforms = [build(**{n: float(v[i]) for n, v in work.parameters.items()}) for i in range(len(self._images))]

    def one(i: int) -> np.ndarray:
      return transforms[i](image=self._images[i])["image"]

    def call() -> None:
      self._results = list(self._pool.map(one, range(len(self._images))))

    return calling(call)

  def _gaussian_blur(self, *, radius: float) -> Any:
    return self._library.GaussianBlur(blur_limit=0, sigma_limit=(radius / 3, radius / 3), p=1)

  def _linear_motion_blur(self, *, length: float, angle: float) -> Any:
    side, degrees = max(3, int(length) // 2 * 2 + 1), math.degrees(angle) % 360
    options = {"angle_range": (degrees, degrees), "direction_range": (0.0, 0.0), "allow_shifted": False}
    return self._library.MotionBlur(blur_limit=(side, side), **options, p=1)

  def _box_blur(self, *, width: float) -> Any:
    return self._library.Blur(blur_limit=(round(width), round(width)), p=1)

  def _defocus_blur(self, *, radius: float) -> Any:
    return self._library.Defocus((round(radius), round(radius)), (0.5, 0.5), p=1)

  def _zoom_blur(self, *, zoom: float, step: float) -> Any:
    return self._library.ZoomBlur((zoom, zoom), (step, step), p=1)

  def _glass_blur(self, *, sigma: float, reach: float, rounds: float) -> Any:
    return self._library.GlassBlur(sigma, round(reach), round(rounds), mode="fast", p=1)

  def _gaussian_noise(self, *, amount: float, density: float) -> Any:
    del density
    return self._library.GaussNoise(std_range=(amount / 255, amount / 255), p=1)

  def _monochrome_noise(self, *, amount: float, density: float) -> Any:
    del density
    return self._library.GaussNoise(std_range=(amount / 255, amount / 255), per_channel=False, p=1)

  def _impulse_noise(self, *, share: float) -> Any:
    return self._library.SaltAndPepper(amount=(share, share), salt_vs_pepper=(0.5, 0.5), p=1)

  def _speckle_noise(self, *, amount: float) -> Any:
    reach = math.sqrt(3) * amount
    return self._library.MultiplicativeNoise((1 - reach, 1 + reach), per_channel=True, elementwise=True, p=1)

  _uniform_speckle_noise = _speckle_noise

  def _shot_noise(self, *, amount: float) -> Any:
    scale = (amount / 255) ** 2
    return self._library.ShotNoise(scale_range=(scale, scale), p=1)

  def _camera_noise(self, *, amount: float, coarseness: float) -> Any:
    del coarseness
    return self._library.ISONoise(color_shift=(0.03, 0.03), intensity=(amount / 20, amount / 20), p=1)

  def _mean_shift(self, *, shift: float) -> Any:
    limit = (shift / 255, shift / 255)
    return self._library.RandomBrightnessContrast(brightness_limit=limit, contrast_limit=(0, 0), p=1)

  def _contrast(self, *, factor: float) -> Any:
    return self._colours(contrast=(factor, factor))

  _low_contrast = _high_contrast = _contrast

  def _saturation(self, *, scale: float, shift: float) -> Any:
    del shift
    return self._colours(saturation=(scale, scale))

  _desaturation = _oversaturation = _saturation

  def _colours(self, **changed: tuple[float, float]) -> Any:
    unchanged = {"brightness": (1, 1), "contrast": (1, 1), "saturation": (1, 1), "hue": (0, 0)}
    return self._library.ColorJitter(**(unchanged | changed), p=1)

  def _brightness(self, *, shift: float) -> Any:
    return self._library.HueSaturationValue((0, 0), (0, 0), (shift, shift), p=1)

  def _sharpen(self, *, amount: float, radius: float) -> Any:
    del amount
    side = 2 * math.ceil(2 * radius) + 1
    options = {"sigma_limit": (radius, radius), "alpha": (1.0, 1.0), "threshold": 0}
    return self._library.UnsharpMask(blur_limit=(side, side), **options, p=1)

  def _banding(self, *, levels: float) -> Any:
    return self._library.Posterize(num_bits=round(math.log2(levels)), p=1)

  def _fog(self, *, strength: float, roughness: float) -> Any:
    del strength, roughness
    return self._library.RandomFog(fog_coef_range=(0.7, 0.7), p=1)

  def _snow(self, **parameters: float) -> Any:
    del parameters
    return self._library.RandomSnow(snow_point_range=(0.2, 0.2), p=1)

  def _elastic(self, *, amplitude: float, scale: float, affine: float) -> Any:
    del affine
    options = {"noise_distribution": "uniform", "border_mode": self._cv2.BORDER_REFLECT}
    return self._library.ElasticTransform(amplitude * 2 * math.sqrt(3 * math.pi) * scale, scale, **options, p=1)

  def _colour_blocks(self, *, count: float) -> Any:
    holes, side = (int(count), int(count)), (32, 32)
    options = {"hole_height_range": side, "hole_width_range": side, "fill": "random_uniform"}
    return self._library.CoarseDropout(num_holes_range=holes, **options, p=1)

  def _pixelate(self, *, scale: float) -> Any:
    return self._through_small(scale, self._cv2.INTER_AREA, self._cv2.INTER_NEAREST)

  _upscaled_nearest = _pixelate

  def _subsampled(self, *, scale: float) -> Any:
    return self._through_small(scale, self._cv2.INTER_NEAREST, self._cv2.INTER_NEAREST)

  def _upscaled_bilinear(self, *, scale: float) -> Any:
    return self._through_small(scale, self._cv2.INTER_AREA, self._cv2.INTER_LINEAR)

  def _upscaled_bicubic(self, *, scale: float) -> Any:
    return self._through_small(scale, self._cv2.INTER_AREA, self._cv2.INTER_CUBIC)

  def _through_small(self, scale: float, down: int, up: int) -> Any:
    pair = {"downscale": down, "upscale": up}
    return self._library.Downscale(scale_range=(scale, scale), interpolation_pair=pair, p=1)

  def _jpeg(self, *, quality: float) -> Any:
    return self._library.ImageCompression("jpeg", (int(quality), int(quality)), p=1)
