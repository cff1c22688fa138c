"""JPEG 2000 against OpenJPEG, by way of Pillow."""

import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from jaxdistort.data import SamplePhotographs
from jaxdistort.distortions import jpeg2000

pytestmark = [pytest.mark.optimised, pytest.mark.slow]

_batched = jax.jit(jax.vmap(jpeg2000))


def _openjpeg(image, ratio):
  """The picture as it comes back, and the ratio that the file has."""
  file = io.BytesIO()
  options = {"irreversible": True, "mct": 1, "quality_mode": "rates", "quality_layers": [ratio]}
  Image.fromarray(image).save(file, "JPEG2000", **options)
  return np.asarray(Image.open(file).convert("RGB")), image.size / len(file.getvalue())


def _gaps(images, ratio):
  """How much nearer ours is to each picture than OpenJPEG's file of the same size: PSNR in dB, and SSIM."""
  theirs, ratios = zip(*(_openjpeg(image, ratio) for image in images), strict=True)
  ours = np.asarray(_batched(jnp.asarray(images), jnp.asarray(ratios, jnp.float32)))
  triples = list(zip(images, ours, theirs, strict=True))
  likeness = lambda image, other: structural_similarity(image, other, channel_axis=2)
  psnr = [peak_signal_noise_ratio(i, o) - peak_signal_noise_ratio(i, t) for i, o, t in triples]
  return np.array(psnr), np.array([likeness(i, o) - likeness(i, t) for i, o, t in triples])


@pytest.mark.long
def test_as_good_as_openjpeg_at_the_same_size():
  samples = SamplePhotographs()
  images = np.stack([samples.load(i * samples.VIEWS + 1, 224) for i in (0, 3, 4, 8, 10, 12, 14, 16)])
  for ratio in (8, 16, 32, 45, 120):
    psnr, ssim = _gaps(images, ratio)
    assert np.sum(np.abs(psnr) <= 1) >= 7
    assert np.max(np.abs(psnr)) <= 1.3  # a rocket in a plain sky
    assert abs(np.mean(psnr)) <= 0.35
    assert np.max(np.abs(ssim)) <= 0.04


@pytest.mark.long
def test_small_pictures(photographs):
  for ratio in (8, 16, 32):
    psnr, ssim = _gaps(photographs, ratio)
    assert np.sum(np.abs(psnr) <= 1) >= 7
    assert abs(np.mean(psnr)) <= 0.6
    assert abs(np.mean(ssim)) <= 0.03


@pytest.mark.long
def test_a_ratio_of_1_changes_nothing(photographs):
  np.testing.assert_array_equal(_batched(photographs, jnp.ones(8)), photographs)


@pytest.mark.long
def test_a_higher_ratio_changes_more(photographs):
  pictures = [np.asarray(_batched(photographs, jnp.full(8, ratio))) for ratio in (2.0, 4.0, 8.0, 16.0, 30.0, 60.0)]
  for i, image in enumerate(photographs):
    likeness = [structural_similarity(image, changed[i], channel_axis=2) for changed in pictures]
    assert likeness == sorted(likeness, reverse=True)


@pytest.mark.long
def test_plain_pictures_stay_plain():
  for colour in ((255, 255, 255), (0, 0, 0), (200, 30, 10)):
    image = jnp.broadcast_to(jnp.uint8(colour), (64, 64, 3))
    changed = np.asarray(_batched(image[None], jnp.float32([8]))[0], int)
    assert np.max(np.abs(changed - np.asarray(image, int))) <= 3
