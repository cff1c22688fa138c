"""ImageNet-C: five levels of each corruption, by the names and numbers of the package imagecorruptions 1.1.2.

Source: D. Hendrycks and T. Dietterich, Benchmarking neural network robustness to common corruptions and perturbations
(ICLR 2019); C. Michaelis and others, imagecorruptions/corruptions.py. `frost` (photographs of frost) and `spatter` (an
edge detector and a distance transform) are left out.
"""

import math
from types import MappingProxyType

from jaxdistort.distortions.distributions import Uniform
from jaxdistort.distortions.severities.table import SEVERITY_TABLES, Entry, SeverityTable, levels_of

_TILT = Uniform(-math.pi / 4, math.pi / 4)
_DOWN = Uniform(-0.75 * math.pi, -0.25 * math.pi)
_TRUNCATION = 0.4  # levels that gaussian_noise loses of its standard deviation by truncating toward zero

_SNOW = (  # mean, deviation, zoom, threshold, radius and sigma of the streaks, share of the picture that stays
  (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
  (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
  (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
  (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
  (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
)
_ELASTIC = ((488, 170.8, 24.4), (488, 19.52, 48.8), (12.2, 2.44, 4.88), (17.08, 2.44, 4.88), (29.28, 2.44, 4.88))

_ENTRIES = {
  "gaussian_noise": Entry(
    "gaussian_noise",
    levels_of(amount=[255 * sigma + _TRUNCATION for sigma in (0.08, 0.12, 0.18, 0.26, 0.38)], density=1),
  ),
  "shot_noise": Entry("shot_noise", levels_of(amount=[255 / math.sqrt(c) for c in (60, 25, 12, 5, 3)])),
  "impulse_noise": Entry("impulse_noise", levels_of(share=[0.03, 0.06, 0.09, 0.17, 0.27])),
  "defocus_blur": Entry("defocus_blur", levels_of(radius=[3, 4, 6, 8, 10])),
  "glass_blur": Entry(
    "glass_blur", levels_of(sigma=[0.7, 0.9, 1, 1.1, 1.5], reach=[1, 2, 2, 3, 4], rounds=[2, 1, 3, 2, 2])
  ),
  "motion_blur": Entry(
    "gaussian_motion_blur", levels_of(radius=[10, 15, 15, 15, 20], sigma=[3, 5, 8, 12, 15], angle=_TILT)
  ),
  "zoom_blur": Entry("zoom_blur", levels_of(zoom=[1.11, 1.16, 1.21, 1.26, 1.31], step=[0.01, 0.01, 0.02, 0.02, 0.03])),
  "snow": Entry(
    "snow",
    tuple(
      {
        "density": mean,
        "spread": deviation,
        "zoom": zoom,
        "threshold": threshold,
        "length": 2 * radius + 1,
        "sigma": sigma,
        "veil": 1 - stays,
        "angle": _DOWN,
      }
      for mean, deviation, zoom, threshold, radius, sigma, stays in _SNOW
    ),
  ),
  "fog": Entry(
    "fog", levels_of(strength=[1.5, 2, 2.5, 2.5, 3], roughness=[decay**-2 for decay in (2, 2, 1.7, 1.5, 1.4)])
  ),
  "brightness": Entry("brightness", levels_of(shift=[255 * shift for shift in (0.1, 0.2, 0.3, 0.4, 0.5)])),
  "contrast": Entry("low_contrast", levels_of(factor=[0.4, 0.3, 0.2, 0.1, 0.05])),
  "elastic_transform": Entry(
    "elastic",
    tuple(
      {"amplitude": alpha / (2 * math.sqrt(3 * math.pi) * sigma), "scale": sigma, "affine": affine}
      for alpha, sigma, affine in _ELASTIC
    ),
  ),
  "pixelate": Entry("pixelate", levels_of(scale=[0.6, 0.5, 0.4, 0.3, 0.25])),
  "jpeg_compression": Entry("jpeg", levels_of(quality=[25, 18, 15, 10, 7])),
  "speckle_noise": Entry("speckle_noise", levels_of(amount=[0.15, 0.2, 0.35, 0.45, 0.6])),
  "gaussian_blur": Entry("gaussian_blur", levels_of(radius=[3 * sigma for sigma in (1, 2, 3, 4, 6)])),
  "saturate": Entry("oversaturation", levels_of(scale=[0.3, 0.1, 2, 5, 20], shift=[0, 0, 0, 0.1, 0.2])),
}

IMAGENET_C = SEVERITY_TABLES.register("imagenet_c", SeverityTable("ImageNet-C", MappingProxyType(_ENTRIES)))
"""The levels of ImageNet-C."""
