"""ImageNet-C: five levels of each corruption, by the names and numbers of the package imagecorruptions 1.1.2
(but for `elastic_transform`, whose numbers are ImageNet-C's own).

Source: D. Hendrycks and T. Dietterich, Benchmarking neural network robustness to common corruptions and perturbations
(ICLR 2019); C. Michaelis and others, imagecorruptions/corruptions.py. `frost` (photographs of frost) and `spatter` (an
edge detector and a distance transform) are left out.
"""

import math
from types import MappingProxyType

from jaxdistort.distortions.distributions import Uniform
from jaxdistort.distortions.severities.table import EVEN, SEVERITY_TABLES, TRUNCATION, Entry, SeverityTable, levels_of

_TILT = Uniform(-math.pi / 4, math.pi / 4)
_DOWN = Uniform(-0.75 * math.pi, -0.25 * math.pi)

_SNOW = (  # mean, deviation, zoom, threshold, radius and sigma of the streaks, share of the picture that stays
  (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
  (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
  (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
  (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
  (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
)
# alpha, sigma and affine by the side of 244 px: (2, .7, .1), (2, .08, .2), (.05, .01, .02), (.07, .01, .02), (.12, .01,
# .02); the amplitude is alpha / (2 sqrt(3 pi) sigma). At level 1 the field is smoothed by 170.8 px: a shift of 1.1 px,
# which the affine map hides, and .08 px of variation within the picture.
_ELASTIC = ((0.08, 24, 24.4), (4.07, 19.52, 48.8), (0.814, 2.44, 4.88), (1.14, 2.44, 4.88), (1.954, 2.44, 4.88))

_ENTRIES = {
  "gaussian_noise": Entry(
    "gaussian_noise",
    levels_of(amount=[255 * sigma + TRUNCATION for sigma in (0.08, 0.12, 0.18, 0.26, 0.38)], density=1),
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
  # numpy.arange(1, 1.16, .01) ends at 1.15, and the others alike.
  "zoom_blur": Entry("zoom_blur", levels_of(zoom=[1.11, 1.15, 1.2, 1.24, 1.3], step=[0.01, 0.01, 0.02, 0.02, 0.03])),
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
    severities=EVEN,
  ),
  "fog": Entry(
    "fog", levels_of(strength=[1.5, 2, 2.5, 2.5, 3], roughness=[decay**-2 for decay in (2, 2, 1.7, 1.5, 1.4)])
  ),
  "brightness": Entry("brightness", levels_of(shift=[255 * shift for shift in (0.1, 0.2, 0.3, 0.4, 0.5)])),
  "contrast": Entry("low_contrast", levels_of(factor=[0.4, 0.3, 0.2, 0.1, 0.05])),
  "elastic_transform": Entry(
    "elastic",
    levels_of(**dict(zip(("amplitude", "scale", "affine"), map(list, zip(*_ELASTIC, strict=True)), strict=True))),
    severities=EVEN,
  ),
  "pixelate": Entry("pixelate", levels_of(scale=[0.6, 0.5, 0.4, 0.3, 0.25])),
  "jpeg_compression": Entry("jpeg", levels_of(quality=[25, 18, 15, 10, 7])),
  "speckle_noise": Entry("speckle_noise", levels_of(amount=[0.15, 0.2, 0.35, 0.45, 0.6])),
  "gaussian_blur": Entry("gaussian_blur", levels_of(radius=[3 * sigma for sigma in (1, 2, 3, 4, 6)])),
  "saturate": Entry("oversaturation", levels_of(scale=[0.3, 0.1, 2, 5, 20], shift=[0, 0, 0, 0.1, 0.2])),
}

IMAGENET_C = SEVERITY_TABLES.register("imagenet_c", SeverityTable("ImageNet-C", MappingProxyType(_ENTRIES)))
"""The levels of ImageNet-C."""
