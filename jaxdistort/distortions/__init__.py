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
from jaxdistort.distortions.by_name import Step, distort, distort_in_turn, forget_programs, names
from jaxdistort.distortions.camera import camera_noise, denoise
from jaxdistort.distortions.colour import (
  colour_cast,
  colour_diffusion,
  colour_shift,
  lab_saturation,
  saturation,
)
from jaxdistort.distortions.contrast import contrast, contrast_curve
from jaxdistort.distortions.defects import block_loss, colour_blocks, interlacing, patches
from jaxdistort.distortions.elastic import elastic, jitter
from jaxdistort.distortions.glass import glass_blur
from jaxdistort.distortions.gradient_noise import NoiseTables, noise_tables
from jaxdistort.distortions.jpeg import jpeg
from jaxdistort.distortions.jpeg2000 import jpeg2000
from jaxdistort.distortions.light import brighten, brightness, darken, exposure, mean_shift
from jaxdistort.distortions.motion import camera_shake, gaussian_motion_blur, linear_motion_blur
from jaxdistort.distortions.noise import gaussian_noise
from jaxdistort.distortions.optics import box_blur, defocus_blur, zoom_blur
from jaxdistort.distortions.palette import colour_quantisation
from jaxdistort.distortions.processing import sharpen
from jaxdistort.distortions.quantisation import banding, quantisation
from jaxdistort.distortions.registry import DISTORTIONS, GROUPS, Distortion, Parameter, check_parameters, register
from jaxdistort.distortions.resampling import window
from jaxdistort.distortions.resolution import pixelate, upscaled
from jaxdistort.distortions.sensor import (
  correlated_noise,
  impulse_noise,
  shot_noise,
  speckle_noise,
  ycbcr_noise,
)
from jaxdistort.distortions.severities import IMAGENET_C, KADID10K, LIVE, PAPER, SEVERITY_TABLES, SeverityTable
from jaxdistort.distortions.warp import marble, ripple, twirl
from jaxdistort.distortions.weather import fog, snow

__all__ = [
  "DISTORTIONS",
  "GROUPS",
  "IMAGENET_C",
  "KADID10K",
  "LIVE",
  "PAPER",
  "SEVERITY_TABLES",
  "Distortion",
  "NoiseTables",
  "Parameter",
  "SeverityTable",
  "Step",
  "banding",
  "block_loss",
  "box_blur",
  "brighten",
  "brightness",
  "camera_noise",
  "camera_shake",
  "check_parameters",
  "colour_blocks",
  "colour_cast",
  "colour_diffusion",
  "colour_quantisation",
  "colour_shift",
  "contrast",
  "contrast_curve",
  "correlated_noise",
  "darken",
  "defocus_blur",
  "denoise",
  "distort",
  "distort_in_turn",
  "elastic",
  "exposure",
  "fog",
  "forget_programs",
  "gaussian_blur",
  "gaussian_motion_blur",
  "gaussian_noise",
  "glass_blur",
  "impulse_noise",
  "interlacing",
  "jitter",
  "jpeg",
  "jpeg2000",
  "lab_saturation",
  "linear_motion_blur",
  "marble",
  "mean_shift",
  "motion_blur",
  "names",
  "noise_tables",
  "patches",
  "pixelate",
  "quantisation",
  "register",
  "ripple",
  "saturation",
  "sharpen",
  "shot_noise",
  "snow",
  "speckle_noise",
  "twirl",
  "upscaled",
  "window",
  "ycbcr_noise",
  "zoom_blur",
]
