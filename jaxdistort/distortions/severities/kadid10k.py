"""KADID-10k: five levels of each of its 25 types, by its authors' generator of KADIS-700k, in its order.

Source: H. Lin, V. Hosu and D. Saupe, KADID-10k: A large-scale artificially distorted IQA database (QoMEX 2019);
imdist_generator.m and the functions that it calls. Variances there are of levels 0..1.
"""

import math
from types import MappingProxyType

from jaxdistort.distortions.distributions import Uniform
from jaxdistort.distortions.severities.table import SEVERITY_TABLES, TRUNCATION, Entry, SeverityTable, levels_of

_ANY = Uniform(0, 2 * math.pi)
_CHROMA = (0.0001, 0.0005, 0.001, 0.002, 0.003)  # variances where Y has levels 16..235, and Cb and Cr 16..240

_ENTRIES = {
  "gaussian_blur": Entry("gaussian_blur", levels_of(radius=[3 * sigma for sigma in (0.1, 0.5, 1, 2, 5)]), (1,)),
  "lens_blur": Entry("defocus_blur", levels_of(radius=[1, 2, 4, 6, 8])),
  "motion_blur": Entry("linear_motion_blur", levels_of(length=[1, 2, 4, 6, 10], angle=_ANY), (1,)),
  "colour_diffusion": Entry(
    "colour_diffusion", levels_of(sigma=[1.5 * n + 2 for n in (1, 3, 6, 8, 12)], saturation=[1, 3, 6, 8, 12])
  ),
  "colour_shift": Entry("colour_shift", levels_of(amount=[1, 3, 6, 8, 12])),
  "colour_quantisation": Entry("colour_quantisation", levels_of(levels=[64, 48, 32, 16, 8])),
  "colour_saturation_1": Entry("desaturation", levels_of(scale=[0.4, 0.2, 0.1, 0, -0.4], shift=0)),
  "colour_saturation_2": Entry("lab_saturation", levels_of(factor=[1, 2, 3, 6, 9]), (1,)),
  "jpeg2000": Entry("jpeg2000", levels_of(ratio=[16, 32, 45, 120, 400])),
  "jpeg": Entry("jpeg", levels_of(quality=[43, 36, 24, 7, 4])),
  "white_noise": Entry(
    "gaussian_noise",
    levels_of(amount=[255 * math.sqrt(v) + TRUNCATION for v in (0.001, 0.002, 0.003, 0.005, 0.01)], density=1),
  ),
  "white_noise_in_colour_components": Entry(
    "ycbcr_noise",
    levels_of(
      luma=[255 * math.sqrt(v) * 255 / 219 for v in _CHROMA], chroma=[255 * math.sqrt(v) * 255 / 224 for v in _CHROMA]
    ),
  ),
  "impulse_noise": Entry("impulse_noise", levels_of(share=[0.001, 0.005, 0.01, 0.02, 0.03])),
  "multiplicative_noise": Entry(
    "uniform_speckle_noise", levels_of(amount=[math.sqrt(v) for v in (0.001, 0.005, 0.01, 0.02, 0.05)])
  ),
  "denoise": Entry("denoise", levels_of(amount=[255 * math.sqrt(v) for v in (0.01, 0.03, 0.05, 0.1, 0.15)])),
  "brighten": Entry("brighten", levels_of(amount=[0.1, 0.2, 0.4, 0.7, 1.1])),
  "darken": Entry("darken", levels_of(amount=[0.05, 0.1, 0.2, 0.4, 0.8])),
  "mean_shift": Entry("mean_shift", levels_of(shift=[255 * s for s in (0.15, 0.08, 0, -0.08, -0.15)]), (3,)),
  "jitter": Entry("jitter", levels_of(amount=[0.05, 0.1, 0.2, 0.5, 1])),
  "non_eccentricity_patch": Entry("patches", levels_of(count=[20, 40, 60, 80, 100])),
  "pixelate": Entry("subsampled", levels_of(scale=[0.95 - s**0.6 for s in (0.01, 0.05, 0.1, 0.2, 0.5)])),
  # Thresholds 20 16 13 10 7: a level more.
  "quantisation": Entry("quantisation", levels_of(levels=[21, 17, 14, 11, 8])),
  "colour_block": Entry("colour_blocks", levels_of(count=[2, 4, 6, 8, 10])),
  "high_sharpen": Entry("sharpen", levels_of(amount=[1, 2, 3, 6, 12], radius=3)),
  # .3 .15 0 -.4 -.6: its curve changes nothing at -.2 of our scale, not at 0 of its own.
  "contrast_change": Entry("contrast_curve", levels_of(amount=[a + 0.2 for a in (0.3, 0.15, 0, -0.4, -0.6)])),
}

KADID10K = SEVERITY_TABLES.register("kadid10k", SeverityTable("KADID-10k", MappingProxyType(_ENTRIES)))
"""The levels of KADID-10k."""
