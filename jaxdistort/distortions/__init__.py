"""Distortions as pure functions on one picture, uint8 [H, W, 3], batched by `jax.vmap`.

Parameters are traced, so each picture of a batch has its own under one compilation. This package knows
nothing of the rest of the project and is usable alone:

    from jaxdistort import distortions
    blurred = jax.vmap(distortions.gaussian_blur)(images, radii)
"""

from jaxdistort.distortions.blur import gaussian_blur, motion_blur
from jaxdistort.distortions.jpeg import jpeg
from jaxdistort.distortions.noise import gaussian_noise
from jaxdistort.distortions.table import DISTORTIONS, Distortion, Parameter
from jaxdistort.distortions.warp import NoiseTables, marble, noise_tables, ripple, twirl

__all__ = [
  "DISTORTIONS",
  "Distortion",
  "NoiseTables",
  "Parameter",
  "gaussian_blur",
  "gaussian_noise",
  "jpeg",
  "marble",
  "motion_blur",
  "noise_tables",
  "ripple",
  "twirl",
]
