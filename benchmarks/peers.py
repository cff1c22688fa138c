"""The distortions of kornia and OpenCV, for comparison: each in its own best form, on pictures in its own layout.

Nothing here is needed by the rest of the project, and nothing of them is imported before it is asked for.
"""

import functools
import importlib.util
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np

from benchmarks.timing import Turn, calling, count_processors

_GIVEN = "resamples along given coordinates, without the noise that they come from"


class Work(NamedTuple):
  """What every library is asked for.

  Attributes:
    name: of the row.
    distortion: a name in `DISTORTIONS`.
    parameters: float32 [B] each, a value for every picture.
  """

  name: str
  distortion: str
  parameters: dict[str, np.ndarray]


class Library(Protocol):
  """One that can be timed.

  Attributes:
    name: of its column.
    device: that it computes on.
  """

  name: str
  device: str

  def turn(self, work: Work) -> Turn | None:
    """Calls that distort all pictures; None where the library has no such distortion."""
    ...

  def note(self, work: Work) -> str:
    """How its work differs from ours, if it does."""
    ...


def installed_peers(images: np.ndarray) -> tuple[list[Library], list[str]]:
  """Those of kornia and OpenCV that are installed, and a line for each that is not.

  Args:
    images: the pictures to be distorted, uint8 [B, S, S, 3].
  """
  peers: list[Library] = []
  missing = []
  for name, needs, build in (("kornia", ("torch", "kornia"), Kornia), ("OpenCV", ("cv2",), OpenCV)):
    if all(importlib.util.find_spec(module) for module in needs):
      peers.append(build(images))
    else:
      missing.append(f"{name} is not installed: pip install 'jaxdistort[bench]'")
  return peers, missing


class Kornia:
  """kornia's functions on float32 [B, 3, S, S] within 0..1, on the GPU if PyTorch sees one."""

  name = "kornia"
  _NOTES: ClassVar = {
    "gaussian_blur": "in float32; levels are not rounded",
    "motion_blur": "a centred line of the same length; one length for the batch; levels are not rounded",
    "gaussian_noise": "no density, one amount for the batch, no clamp; levels are not rounded",
    "marble": _GIVEN,
    "jpeg": "levels are not rounded",
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

  def _gaussian_noise(self, values: dict[str, Any]) -> Callable[[], Any]:
    from kornia.augmentation import RandomGaussianNoise

    add_noise = RandomGaussianNoise(std=float(values["amount"][0]) / 255, p=1.0)
    return lambda: add_noise(self._images)

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


class OpenCV:
  """OpenCV on uint8 [S, S, 3], blue first, into given results; as many pictures at a time as there are processors.

  Of two ways to use several processors (OpenCV's threads within a picture, ours over pictures) this is the faster.
  """

  name = "OpenCV"
  _NOTES: ClassVar = {
    "gaussian_noise": "no density",
    "monochrome_noise": "no density",
    "marble": _GIVEN,
    "jpeg": "encodes and decodes a file",
  }

  def __init__(self, images: np.ndarray):
    import cv2

    self._cv2: Any = cv2
    cv2.setNumThreads(1)
    threads = count_processors()
    self.device = f"cpu, {threads} threads"
    self._pool = ThreadPoolExecutor(threads)
    self._images = np.ascontiguousarray(images[..., ::-1])
    self._results = np.empty_like(self._images)
    along = np.arange(images.shape[1], dtype=np.float32)
    self._x, self._y = np.meshgrid(along, along)

  def note(self, work: Work) -> str:
    return self._NOTES.get(work.distortion, "")

  def results(self) -> np.ndarray:
    """What the last call made, uint8 [B, S, S, 3]."""
    return self._results[..., ::-1]

  def turn(self, work: Work) -> Turn | None:
    op = getattr(self, f"_{work.distortion}", None)
    if op is None:
      return None
    values = [{n: float(v[i]) for n, v in work.parameters.items()} for i in range(len(self._images))]

    def one(i: int) -> None:
      op(self._images[i], self._results[i], **values[i])

    return calling(lambda: list(self._pool.map(one, range(len(self._images)))))

  def _gaussian_blur(self, image: np.ndarray, result: np.ndarray, *, radius: float) -> None:
    side = 2 * math.ceil(radius) + 1
    border = self._cv2.BORDER_REPLICATE
    self._cv2.GaussianBlur(image, (side, side), radius / 3, dst=result, borderType=border)

  def _motion_blur(self, image: np.ndarray, result: np.ndarray, *, distance: float, angle: float) -> None:
    steps = np.arange(int(distance)) * (distance / int(distance))
    x, y = np.trunc(steps * math.cos(angle)).astype(int), np.trunc(-steps * math.sin(angle)).astype(int)
    left, top = int(x.min()), int(y.min())
    kernel = np.zeros((int(y.max()) - top + 1, int(x.max()) - left + 1), np.float32)
    np.add.at(kernel, (y - top, x - left), 1 / len(steps))
    border = self._cv2.BORDER_CONSTANT
    self._cv2.filter2D(image, -1, kernel, dst=result, anchor=(-left, -top), borderType=border)

  def _gaussian_noise(self, image: np.ndarray, result: np.ndarray, *, amount: float, density: float) -> None:
    del density
    noise = np.empty(image.shape, np.int16)
    self._cv2.randn(noise, (0, 0, 0), (amount,) * 3)
    self._cv2.add(image, noise, dst=result, dtype=self._cv2.CV_8U)

  def _monochrome_noise(self, image: np.ndarray, result: np.ndarray, *, amount: float, density: float) -> None:
    del density
    noise = np.empty(image.shape[:2], np.int16)
    self._cv2.randn(noise, 0, amount)
    self._cv2.add(image, self._cv2.merge((noise, noise, noise)), dst=result, dtype=self._cv2.CV_8U)

  def _marble(self, image: np.ndarray, result: np.ndarray, **parameters: float) -> None:
    del parameters
    self._remap(image, result, *self._waves)

  @functools.cached_property
  def _waves(self) -> tuple[np.ndarray, np.ndarray]:
    return self._x + 20 * np.sin(self._y), self._y + 20 * np.sin(self._x)

  def _twirl(self, image: np.ndarray, result: np.ndarray, *, angle: float, radius: float) -> None:
    center = image.shape[0] / 2
    distance, direction = self._cv2.cartToPolar(self._x - center, self._y - center)
    direction += angle * np.maximum(1 - distance / radius, 0)
    x, y = self._cv2.polarToCart(distance, direction)
    self._remap(image, result, x + center, y + center)

  def _ripple(self, image: np.ndarray, result: np.ndarray, **v: float) -> None:
    x = self._x + np.float32(v["x_amplitude"]) * np.sin(self._y[:, :1] / np.float32(v["x_wavelength"]))
    y = self._y + np.float32(v["y_amplitude"]) * np.sin(self._x[:1] / np.float32(v["y_wavelength"]))
    self._remap(image, result, x, y)

  def _remap(self, image: np.ndarray, result: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    linear, border = self._cv2.INTER_LINEAR, self._cv2.BORDER_REPLICATE
    self._cv2.remap(image, x, y, linear, dst=result, borderMode=border)

  def _jpeg(self, image: np.ndarray, result: np.ndarray, *, quality: float) -> None:
    _, file = self._cv2.imencode(".jpg", image, [self._cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    result[:] = self._cv2.imdecode(file, self._cv2.IMREAD_COLOR)
