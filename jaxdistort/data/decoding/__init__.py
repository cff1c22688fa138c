"""Picture files of any kind as 8-bit sRGB: what counts is the pixels, and what the file says of them."""

from jaxdistort.data.decoding.colours import to_srgb
from jaxdistort.data.decoding.files import decode, open_plain
from jaxdistort.data.decoding.levels import eight_bit_grey, is_deep_grey
from jaxdistort.data.decoding.remarks import PictureWarning, collected_remarks, remark

__all__ = [
  "PictureWarning",
  "collected_remarks",
  "decode",
  "eight_bit_grey",
  "is_deep_grey",
  "open_plain",
  "remark",
  "to_srgb",
]
