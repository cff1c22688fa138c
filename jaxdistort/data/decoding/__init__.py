"""Picture files of any kind as 8-bit sRGB: what counts is the pixels, and what the file says of them."""

from jaxdistort.data.decoding.colours import to_srgb
from jaxdistort.data.decoding.files import decode, open_plain
from jaxdistort.data.decoding.levels import eight_bit_grey, is_deep_grey
from jaxdistort.data.decoding.raw import RAW_SUFFIXES, is_raw, preview_or_pixels
from jaxdistort.data.decoding.remarks import PictureWarning, collected_remarks, remark
from jaxdistort.data.decoding.sizes import at_most

__all__ = [
  "RAW_SUFFIXES",
  "PictureWarning",
  "at_most",
  "collected_remarks",
  "decode",
  "eight_bit_grey",
  "is_deep_grey",
  "is_raw",
  "open_plain",
  "preview_or_pixels",
  "remark",
  "to_srgb",
]
