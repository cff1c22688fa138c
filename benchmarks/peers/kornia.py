"""kornia's distortions."""

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from benchmarks.peers import kernels
from benchmarks.peers.kornia_tones import Tones
from benchmarks.peers.work import Work
from benchmarks.timing import Turn, calling

_GIVEN = "resamples along given coordinates, without the noise that they come from"


class Kornia(Tones):
  """kornia's functions on float32 [B, 3, S, S] within 0..1, on the GPU if PyTorch sees one.

  Results are floating-point, and not rounded to levels.
  """

  name = "kornia"
  _NOTES: ClassVar = {
    "motion_blur": "a centred line of the same length; one length for the batch",
    "box_blur": "one whole width for the batch",
    "linear_motion_blur": "one whole length for the batch",
    "defocus_blur": "convolves with given kernels, one size for the batch",
    "gaussian_motion_blur": "convolves with given kernels, one size for the batch",
    "gaussian_noise": "no density, one amount for the batch, no clamp",
    "impulse_noise": "of whole pixels, not of single values",
    "low_contrast": "about the mean of the grey picture",
    "high_contrast": "about the mean of the grey picture",
    "sharpen": "of R, G and B, not of L*; an amount of 1",
    "banding": "drops bits",
    "fog": "adds a plasma fractal in 0..1; the sum is clipped, not darkened",
    "snow": "lightens what is bright; no flakes, no motion",
    "elastic": "one strength and smoothness for the batch; black outside",
    "pixelate": "one scale for the batch",
    "upscaled_nearest": "one scale for the batch, shrunk by area",
    "upscaled_bilinear": "one scale for the batch, shrunk by area",
    "upscaled_bicubic": "one scale for the batch, shrunk by area",
    "denoise": "a guided filter, which the noise is not told",
    "marble": _GIVEN,
  }

  def __init__(self, images: np.ndarray):
    import torch

    self._torch = torch
    self._place = "cuda" if torch.cuda.is_available() else "cpu"
    threads = f"{torch.get_num_threads()} threads"
    self.device = torch.cuda.get_device_name() if self._place == "cuda" else f"cpu, {threads}"
    planes = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    self._images: Any = torch.from_numpy(planes).to(self._place, torch.float32) / 255
    self._results: Any = self._images

  def note(self, work: Work) -> str:
    return self._NOTES.get(work.distortion, "")

  def results(self) -> np.ndarray:
    """What the last call made, float32 [B, S, S, 3] within 0..255, not rounded."""
    return (self._results * 255).cpu().numpy().transpose(0, 2, 3, 1)

  def turn(self, work: Work) -> Turn | None:
    build = getattr(self, f"_{work.distortion}", None)
    if build is None:
      return None
    values = {name: self._torch.from_numpy(v).to(self._place) for name, v in work.parameters.items()}
    op = build(values)

    def call() -> None:
      with self._torch.inference_mode():
        self._results = op()
      if self._place == "cuda":
        self._torch.cuda.synchronize()

    return calling(call)

  def _gaussian_blur(self, values: dict[str, Any]) -> Callable[[], Any]:
    from kornia.filters import gaussian_blur2d

    side = 2 * math.ceil(float(values["radius"].max())) + 1
    sigma = (values["radius"] / 3)[:, None].repeat(1, 2)
    return lambda: gaussian_blur2d(self._images, (side, side), sigma, border_type="replicate")

  def _motion_blur(self, values: dict[str, Any]) -> Callable[[], Any]:
    from kornia.filters import motion_blur

    side = int(values["distance"].max()) // 2 * 2 + 1
    degrees = self._torch.rad2deg(values["angle"])
    straight = self._torch.zeros_like(degrees)  # as much forward as backward
    return lambda: motion_blur(self._images, side, degrees, straight, border_type="constant")

  def _box_blur(self, values: dict[str, Any]) -> Callable[[], Any]:
    from kornia.filters import box_blur

    side = round(float(values["width"][0]))
    return lambda: box_blur(self._images, side, border_type="replicate")

  def _linear_motion_blur(self, values: dict[str, Any]) -> Callable[[], Any]:
    from kornia.filters import motion_blur

    side = max(3, int(values["length"].max()) // 2 * 2 + 1)
    degrees = self._torch.rad2deg(values["angle"])
    straight = self._torch.zeros_like(degrees)
    return lambda: motion_blur(self._images, side, degrees, straight, border_type="replicate")

  def _defocus_blur(self, values: dict[str, Any]) -> Callable[[], Any]:
    return self._convolved([kernels.disk(radius) for radius in values["radius"].tolist()])

  def _gaussian_motion_blur(self, values: dict[str, Any]) -> Callable[[], Any]:
    settings = zip(*(values[name].tolist() for name in ("radius", "sigma", "angle")), strict=True)
    return self._convolved([kernels.tail(*setting) for setting in settings])

  def _convolved(self, given: list[np.ndarray]) -> Callable[[], Any]:
    from kornia.filters import filter2d

    side = max(len(kernel) for kernel in given)
    batch = self._torch.from_numpy(np.stack([np.pad(kernel, (side - len(kernel)) // 2) for kernel in given]))
    batch = batch.to(self._place)
    return lambda: filter2d(self._images, batch, "replicate")

  def _gaussian_noise(self, values: dict[str, Any]) -> Callable[[], Any]:
    from kornia.augmentation import RandomGaussianNoise

    add_noise = RandomGaussianNoise(std=float(values["amount"][0]) / 255, p=1.0)
    return lambda: add_noise(self._images)

  def _impulse_noise(self, values: dict[str, Any]) -> Callable[[], Any]:
    from kornia.augmentation import RandomSaltAndPepperNoise

    share = float(values["share"][0])
    add_noise = RandomSaltAndPepperNoise((share, share), (0.5, 0.5), p=1.0)
    return lambda: add_noise(self._images)

  def _ycbcr_noise(self, values: dict[str, Any]) -> Callable[[], Any]:
    from kornia.color import rgb_to_ycbcr, ycbcr_to_rgb

    amounts = self._torch.stack([values[name] for name in ("luma", "chroma", "chroma")], dim=1)[:, :, None, None] / 255

    def call() -> Any:
      noise = amounts * self._torch.randn_like(self._images)
      return ycbcr_to_rgb(rgb_to_ycbcr(self._images) + noise).clamp(0, 1)

    return call

  def _denoise(self, values: dict[str, Any]) -> Callable[[], Any]:
    from kornia.filters import guided_blur

    amounts = values["amount"][:, None, None, None] / 255
    planes = self._images.flatten(0, 1)[:, None]  # each channel by itself
    strengths = (values["amount"] / 255).square().repeat_interleave(3)

    def call() -> Any:
      noisy = (self._images + amounts * self._torch.randn_like(self._images)).clamp(0, 1).view_as(planes)
      return guided_blur(noisy, noisy, 7, strengths).view_as(self._images)

    return call

  def _fog(self, values: dict[str, Any]) -> Callable[[], Any]:
    from kornia.augmentation import RandomPlasmaBrightness

    roughness = float(values["roughness"][0])
    add_fog = RandomPlasmaBrightness((roughness, roughness), (1.0, 1.0), p=1.0)
    return lambda: add_fog(self._images)

  def _snow(self, values: dict[str, Any]) -> Callable[[], Any]:
    from kornia.augmentation import RandomSnow

    whiten = RandomSnow((0.5, 0.5), (2.0, 2.0), p=1.0)
    return lambda: whiten(self._images)

  def _elastic(self, values: dict[str, Any]) -> Callable[[], Any]:
    from kornia.geometry.transform import elastic_transform2d

    scale = float(values["scale"].max())
    side = 2 * math.ceil(3 * scale) + 1
    # Of the smoothed field, whose noise is uniform over -1..1, in units of half of the picture's side.
    alpha = float(values["amplitude"][0]) * 2 * math.sqrt(3 * math.pi) * scale * 2 / self._images.shape[-1]

    def call() -> Any:
      noise = 2 * self._torch.rand_like(self._images[:, :2]) - 1
      return elastic_transform2d(self._images, noise, (side, side), (scale, scale), (alpha, alpha))

    return call

  def _marble(self, values: dict[str, Any]) -> Callable[[], Any]:
    del values
    x, y = self._grid()
    maps = [(c + 20 * wave).expand(len(self._images), -1, -1) for c, wave in ((x, y.sin()), (y, x.sin()))]
    return lambda: self._remap(*maps)

  def _twirl(self, values: dict[str, Any]) -> Callable[[], Any]:
    x, y = self._grid()
    center = self._images.shape[-1] / 2
    angle, radius = (values[name][:, None, None] for name in ("angle", "radius"))

    def call() -> Any:
      dx, dy = x - center, y - center
      turn = angle * (1 - self._torch.hypot(dx, dy)[None] / radius).clamp(min=0)
      cos, sin = turn.cos(), turn.sin()
      return self._remap(center + dx * cos - dy * sin, center + dx * sin + dy * cos)

    return call

  def _ripple(self, values: dict[str, Any]) -> Callable[[], Any]:
    x, y = self._grid()
    v = {name: value[:, None, None] for name, value in values.items()}

    def call() -> Any:
      x_shift = v["x_amplitude"] * (y[:, :1] / v["x_wavelength"]).sin()
      y_shift = v["y_amplitude"] * (x[:1] / v["y_wavelength"]).sin()
      return self._remap(x + x_shift, y + y_shift)

    return call

  def _jpeg(self, values: dict[str, Any]) -> Callable[[], Any]:
    from kornia.enhance import jpeg_codec_differentiable

    return lambda: jpeg_codec_differentiable(self._images, values["quality"])

  def _grid(self) -> tuple[Any, Any]:
    """x and y of every pixel, float32 [S, S]."""
    along = self._torch.arange(self._images.shape[-1], dtype=self._torch.float32, device=self._place)
    y, x = self._torch.meshgrid(along, along, indexing="ij")
    return x, y

  def _remap(self, x: Any, y: Any) -> Any:
    from kornia.geometry.transform import remap

    return remap(self._images, x, y, padding_mode="border", align_corners=True)
