"""OpenCV's distortions."""

import functools
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import numpy as np

from benchmarks.peers import kernels
from benchmarks.peers.opencv_tones import Tones
from benchmarks.peers.work import Work
from benchmarks.timing import Turn, calling, count_processors


class OpenCV(Tones):
  """OpenCV on uint8 [S, S, 3], blue first, into given results; as many pictures at a time as there are processors.

  Of two ways to use several processors (OpenCV's threads within a picture, ours over pictures) this is the faster.
  """

  name = "OpenCV"
  _NOTES: ClassVar = {
    "gaussian_noise": "no density",
    "monochrome_noise": "no density",
    "ycbcr_noise": "clipped in Y'CbCr too",
    "camera_shake": "another random path, whose velocity is a random walk",
    "marble": "resamples along given coordinates, without the noise that they come from",
    "upscaled_nearest": "shrunk by area",
    "upscaled_bilinear": "shrunk by area",
    "upscaled_bicubic": "shrunk by area",
    "jpeg": "encodes and decodes a file",
    "jpeg2000": "encodes and decodes a file",
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

  def _defocus_blur(self, image: np.ndarray, result: np.ndarray, *, radius: float) -> None:
    self._convolve(image, result, kernels.disk(radius))

  def _linear_motion_blur(self, image: np.ndarray, result: np.ndarray, *, length: float, angle: float) -> None:
    self._convolve(image, result, kernels.line(length, angle))

  def _gaussian_motion_blur(
    self, image: np.ndarray, result: np.ndarray, *, radius: float, sigma: float, angle: float
  ) -> None:
    self._convolve(image, result, kernels.tail(radius, sigma, angle))

  def _camera_shake(self, image: np.ndarray, result: np.ndarray, *, length: float) -> None:
    steps = np.empty((96, 2), np.float32)
    self._cv2.randn(steps, 0, 1)
    velocity = np.cumsum(steps, axis=0)
    path = np.cumsum(velocity * (length / np.hypot(*velocity.T).sum()), axis=0)
    places = np.rint(path - path.mean(axis=0)).astype(int)
    reach = int(np.abs(places).max())
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    np.add.at(kernel, tuple((places + reach).T), 1 / len(places))
    self._convolve(image, result, kernel)

  def _convolve(self, image: np.ndarray, result: np.ndarray, kernel: np.ndarray) -> None:
    self._cv2.filter2D(image, -1, kernel, dst=result, borderType=self._cv2.BORDER_REPLICATE)

  def _box_blur(self, image: np.ndarray, result: np.ndarray, *, width: float) -> None:
    if width % 2 == 1:
      self._cv2.blur(image, (int(width), int(width)), dst=result, borderType=self._cv2.BORDER_REPLICATE)
      return
    reach = math.ceil((width - 1) / 2)
    taps = np.clip((width + 1) / 2 - np.abs(np.arange(-reach, reach + 1)), 0, 1) / width
    self._cv2.sepFilter2D(image, -1, taps, taps, dst=result, borderType=self._cv2.BORDER_REPLICATE)

  def _zoom_blur(self, image: np.ndarray, result: np.ndarray, *, zoom: float, step: float) -> None:
    steps = max(1, math.ceil((zoom - 1) / step - 0.01))
    total, middle = image.astype(np.float32), (image.shape[0] - 1) / 2
    for enlargement in np.linspace(1, zoom, steps + 1):
      shift = middle * (1 - enlargement)
      matrix = np.array([[enlargement, 0, shift], [0, enlargement, shift]], np.float32)
      self._cv2.accumulate(self._cv2.warpAffine(image, matrix, image.shape[1::-1]), total)
    self._cv2.multiply(total, (1 / (steps + 2),) * 4, dst=result, dtype=self._cv2.CV_8U)

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

  def _impulse_noise(self, image: np.ndarray, result: np.ndarray, *, share: float) -> None:
    draws = np.empty(image.shape, np.uint16)
    self._cv2.randu(draws, (0,) * 3, (65536,) * 3)
    hit = self._cv2.compare(draws, (65536 * share,) * 4, self._cv2.CMP_LT)
    salt = self._cv2.compare(draws, (32768 * share,) * 4, self._cv2.CMP_LT)
    self._cv2.bitwise_or(self._cv2.subtract(image, hit), salt, dst=result)

  def _speckle_noise(self, image: np.ndarray, result: np.ndarray, *, amount: float) -> None:
    gains = np.empty(image.shape, np.float32)
    self._cv2.randn(gains, (1,) * 3, (amount,) * 3)
    self._cv2.multiply(image, gains, dst=result, dtype=self._cv2.CV_8U)

  def _uniform_speckle_noise(self, image: np.ndarray, result: np.ndarray, *, amount: float) -> None:
    gains, reach = np.empty(image.shape, np.float32), math.sqrt(3) * amount
    self._cv2.randu(gains, (1 - reach,) * 3, (1 + reach,) * 3)
    self._cv2.multiply(image, gains, dst=result, dtype=self._cv2.CV_8U)

  def _ycbcr_noise(self, image: np.ndarray, result: np.ndarray, *, luma: float, chroma: float) -> None:
    noise = np.empty(image.shape, np.int16)
    self._cv2.randn(noise, (0, 0, 0), (luma, chroma, chroma))
    colours = self._cv2.cvtColor(image, self._cv2.COLOR_BGR2YCrCb)
    self._cv2.add(colours, noise, dst=colours, dtype=self._cv2.CV_8U)
    self._cv2.cvtColor(colours, self._cv2.COLOR_YCrCb2BGR, dst=result)

  def _correlated_noise(self, image: np.ndarray, result: np.ndarray, *, amount: float) -> None:
    noise = np.empty(image.shape, np.float32)
    self._cv2.randn(noise, (0, 0, 0), (3 * amount,) * 3)
    self._cv2.add(image, self._cv2.blur(noise, (3, 3)), dst=result, dtype=self._cv2.CV_8U)

  def _elastic(self, image: np.ndarray, result: np.ndarray, *, amplitude: float, scale: float, affine: float) -> None:
    del affine
    field, side = np.empty((*image.shape[:2], 2), np.float32), 2 * math.ceil(3 * scale) + 1
    reach = amplitude * 2 * math.sqrt(3 * math.pi) * scale
    self._cv2.randu(field, (-reach,) * 2, (reach,) * 2)
    x, y = self._cv2.split(self._cv2.GaussianBlur(field, (side, side), scale))
    x, y = self._cv2.add(x, self._x), self._cv2.add(y, self._y)
    self._cv2.remap(image, x, y, self._cv2.INTER_LINEAR, dst=result, borderMode=self._cv2.BORDER_REFLECT)

  def _jitter(self, image: np.ndarray, result: np.ndarray, *, amount: float) -> None:
    offsets = np.empty((*image.shape[:2], 2), np.float32)
    result[:] = image
    for _ in range(5):
      self._cv2.randn(offsets, (0, 0), (amount, amount))
      x, y = self._cv2.split(offsets)
      x, y = self._cv2.add(x, self._x), self._cv2.add(y, self._y)
      border = self._cv2.BORDER_REPLICATE
      result[:] = self._cv2.remap(result, x, y, self._cv2.INTER_CUBIC, borderMode=border)

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

  def _jpeg2000(self, image: np.ndarray, result: np.ndarray, *, ratio: float) -> None:
    options = [self._cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, max(1, round(1000 / ratio))]
    _, file = self._cv2.imencode(".jp2", image, options)
    result[:] = self._cv2.imdecode(file, self._cv2.IMREAD_COLOR)
