"""Distortions as pure functions on one picture, uint8 [H, W, 3], batched by `jax.vmap`.

Parameters are traced, so each picture of a batch has its own under one compilation. This package knows
nothing of the rest of the project and is usable alone:

    from jaxdistort import distortions
    blurred = jax.vmap(distortions.gaussian_blur)(images, radii)

A concrete parameter that an op cannot take raises ValueError. A traced one cannot be looked at: beyond an op's
bounds the picture is that of the nearest bound, and NaN gives a black picture (of `jpeg`, a flat grey one). So
whoever draws parameters checks the distribution against the bounds first: `check_parameters`, `Distortion.check`.
"""

from jaxdistort.distortions.blur import gaussian_blur, motion_blur
from jaxdistort.distortions.gradient_noise import NoiseTables, noise_tables
from jaxdistort.distortions.jpeg import jpeg
from jaxdistort.distortions.jpeg2000 import jpeg2000
from jaxdistort.distortions.noise import gaussian_noise
from jaxdistort.distortions.registry import DISTORTIONS, GROUPS, Distortion, Parameter, check_parameters, register
from jaxdistort.distortions.resampling import window
from jaxdistort.distortions.resolution import pixelate, upscaled
from jaxdistort.distortions.severities import PAPER, SEVERITY_TABLES, SeverityTable
from jaxdistort.distortions.warp import marble, ripple, twirl

__all__ = [
  "DISTORTIONS",
  "GROUPS",
  "PAPER",
  "SEVERITY_TABLES",
  "Distortion",
  "NoiseTables",
  "Parameter",
  "SeverityTable",
  "check_parameters",
  "gaussian_blur",
  "gaussian_noise",
  "jpeg",
  "jpeg2000",
  "marble",
  "motion_blur",
  "noise_tables",
  "pixelate",
  "register",
  "ripple",
  "twirl",
  "upscaled",
  "window",
]
