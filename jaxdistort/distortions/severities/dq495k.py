"""DQ-495K: five levels of its noises, its blurs, JPEG and darkening, by its authors' generator.

Source: Z. You and others, Depicting beyond scores: advancing image quality assessment through multi-modal language
models, and its sequel with this data set (DepictQA-Wild, 2024); build_datasets/x_distortion. Standard deviations there
are of levels 0..1. Its other types, darkening by the value of HSV, and JPEG 2000 (by PSNR) are left out.

Its levels are even steps of severity: most of its noises end the perceptual scale at the second level.
"""

import math
from types import MappingProxyType

from jaxdistort.distortions.distributions import Uniform
from jaxdistort.distortions.severities.table import (
  EVEN,
  SEVERITY_TABLES,
  TRUNCATION,
  Entry,
  Setting,
  SeverityTable,
  levels_of,
)

_TILT = Uniform(-math.pi / 2, math.pi / 2)
_LUMA = (0.05, 0.06, 0.07, 0.08, 0.09)
_CHROMA = (1, 1.45, 1.9, 2.35, 2.8)  # times the luma's


def _entry(distortion: str, levels: tuple[Setting, ...]) -> Entry:
  return Entry(distortion, levels, severities=EVEN)


_ENTRIES = {
  "noise_gaussian_rgb": _entry(
    "gaussian_noise",
    levels_of(amount=[255 * sigma + TRUNCATION for sigma in (0.05, 0.1, 0.15, 0.2, 0.25)], density=1),
  ),
  "noise_gaussian_ycrcb": _entry(
    "ycbcr_noise",
    levels_of(
      luma=[255 * sigma for sigma in _LUMA],
      chroma=[255 * sigma * times for sigma, times in zip(_LUMA, _CHROMA, strict=True)],
    ),
  ),
  "noise_speckle": _entry("speckle_noise", levels_of(amount=[0.14, 0.21, 0.28, 0.35, 0.42])),
  # The mean of nine pixels leaves a third of the noise's standard deviation.
  "noise_spatially_correlated": _entry(
    "correlated_noise", levels_of(amount=[255 * sigma / 3 for sigma in (0.08, 0.11, 0.14, 0.18, 0.22)])
  ),
  "noise_poisson": _entry("shot_noise", levels_of(amount=[255 / math.sqrt(c) for c in (80, 60, 40, 25, 15)])),
  "noise_impulse": _entry("impulse_noise", levels_of(share=[0.01, 0.03, 0.05, 0.07, 0.1])),
  "blur_gaussian": _entry("gaussian_blur", levels_of(radius=[3 * sigma for sigma in (1, 2, 3, 4, 5)])),
  "blur_motion": _entry(
    "gaussian_motion_blur", levels_of(radius=[5, 10, 15, 15, 20], sigma=[3, 5, 7, 9, 12], angle=_TILT)
  ),
  "blur_glass": _entry(
    "glass_blur", levels_of(sigma=[0.7, 0.9, 1.2, 1.4, 1.6], reach=[1, 2, 2, 3, 4], rounds=[1, 1, 2, 2, 2])
  ),
  "blur_lens": _entry("defocus_blur", levels_of(radius=[2, 3, 4, 6, 8])),
  # numpy.arange(1, 1.03, .02) ends at 1.02, that of 1.06 at 1.06, and so on.
  "blur_zoom": _entry("zoom_blur", levels_of(zoom=[1.02, 1.06, 1.1, 1.14, 1.2], step=0.02)),
  "blur_jitter": _entry("glass_blur", levels_of(sigma=0, reach=[1, 2, 3, 4, 5], rounds=1)),  # its swaps alone
  "compression_jpeg": _entry("jpeg", levels_of(quality=[25, 18, 12, 8, 5])),
  "brightness_darken_shift_rgb": _entry(
    "mean_shift", levels_of(shift=[-255 * shift for shift in (0.1, 0.15, 0.2, 0.27, 0.35)])
  ),
  # Powers of the levels; our curve takes middle grey to the same level.
  "brightness_darken_gamma_rgb": _entry(
    "darken", levels_of(amount=[1 - 2 * 0.5**gamma for gamma in (1.4, 1.7, 2.1, 2.6, 3.2)])
  ),
}

DQ495K = SEVERITY_TABLES.register("dq495k", SeverityTable("DQ-495K", MappingProxyType(_ENTRIES)))
"""The levels of DQ-495K."""
