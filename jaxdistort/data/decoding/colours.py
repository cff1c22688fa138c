"""Colours as 8-bit sRGB: profiles applied, transparency laid over white."""

import functools
import io
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from jaxdistort.data.decoding.remarks import remark
from jaxdistort.errors import BrokenPicture, reason_of

_NONE = object()  # None stands for a profile that Pillow could not get whole
_SAME = 2  # levels: profiles whose colours differ less from sRGB's are sRGB, but for rounding
_CONVERTED = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}  # colour space of a profile -> mode of pictures


def to_srgb(picture: Image.Image) -> Image.Image:
  """A picture of 8 bits in any mode as RGB, which is sRGB where its profile can be used.

  Raises:
    BrokenPicture: its colours cannot be converted.
  """
  profile = picture.info.get("icc_profile", _NONE)
  if not picture.has_transparency_data:
    return _apply(picture, profile)
  layer = _convert(_convert(picture, "LA") if picture.mode == "La" else picture, "RGBA")
  grey = picture.mode in ("L", "LA", "La", "1")
  colours = _apply(layer.convert("RGB").convert("L") if grey else layer.convert("RGB"), profile)
  colours.putalpha(layer.getchannel("A"))
  return Image.alpha_composite(Image.new("RGBA", colours.size, "white"), colours).convert("RGB")


def _apply(picture: Image.Image, profile: Any) -> Image.Image:
  """RGB of a picture without transparency; a profile that cannot be used is remarked on."""
  if profile is _NONE:
    return _convert(picture, "RGB")
  try:
    if not isinstance(profile, bytes) or not profile:
      raise ValueError("it is damaged")
    transform = _transform(profile, "L" if picture.mode in ("1", "L") else "CMYK" if picture.mode == "CMYK" else "RGB")
  except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
    remark(f"the colour profile cannot be used ({reason_of(error)}); the colours were taken as they are")
    transform = None
  if transform is None:
    return _convert(picture, "RGB")
  return transform.apply(_convert(picture, transform.input_mode))


@functools.lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> Any:
  """From a profile's colours to sRGB, for pictures of a mode; None if they are the same."""
  source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
  space = source.profile.xcolor_space.strip()
  wanted = _CONVERTED.get(space)
  if wanted is None or (wanted != mode and (wanted, mode) != ("RGB", "L")):
    raise ValueError(f"it is for {space or 'unknown'} colours")
  transform = ImageCms.ImageCmsTransform(source, _srgb(), wanted, "RGB")
  if wanted == "CMYK":
    return transform
  probe = _probe() if wanted == "RGB" else _probe().convert("L")
  difference = np.asarray(transform.apply(probe), np.int16) - np.asarray(probe.convert("RGB"))
  return None if np.abs(difference).max() <= _SAME else transform


@functools.cache
def _srgb() -> ImageCms.ImageCmsProfile:
  return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@functools.cache
def _probe() -> Image.Image:
  """Every colour of 18 levels."""
  steps = np.arange(0, 256, 15, dtype=np.uint8)
  return Image.fromarray(np.stack(np.meshgrid(steps, steps, steps), -1).reshape(len(steps), -1, 3))


def _convert(picture: Image.Image, mode: str) -> Image.Image:
  try:
    return picture.convert(mode)
  except ValueError as error:  # Pillow decodes a few colour spaces that it cannot convert
    raise BrokenPicture(f"colours of the kind {picture.mode} cannot be converted") from error
