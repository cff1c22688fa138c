"""HEIC and its relatives, as telephones write them, by pillow-heif."""

from typing import Any, BinaryIO

from PIL import Image

from jaxdistort.data.decoding.sizes import check_pixels
from jaxdistort.errors import NOT_INSTALLED, BrokenPicture, raising_broken

_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


def is_heif(stream: BinaryIO) -> bool:
  stream.seek(0)
  head = stream.read(12)
  return head[4:8] == b"ftyp" and head[8:] in _BRANDS


def read_heif(stream: BinaryIO) -> Image.Image:
  """The first picture, upright, of 8 bits a level.

  Raises:
    BrokenPicture: it is damaged, too large, or pillow-heif is not there.
  """
  try:
    import pillow_heif
  except ImportError as error:
    raise BrokenPicture(f"a HEIC is read by pillow-heif, {NOT_INSTALLED} (jaxdistort[heif] brings it)") from error
  stream.seek(0)
  with raising_broken():
    file: Any = pillow_heif.open_heif(stream, convert_hdr_to_8bit=True)
    check_pixels(*file.size)
    return file.to_pillow()
