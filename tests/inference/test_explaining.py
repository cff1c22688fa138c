"""Explanations: what the maps are, and what is drawn of them."""

import shutil
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxdistort.errors import InputError
from jaxdistort.inference import Description, Recogniser
from jaxdistort.inference.explaining import make_explainer
from jaxdistort.models import NetworkSpec, merge_network, run_network
from jaxdistort.reporting.explanations import draw_explanations
from jaxdistort.reporting.grids import draw_explanation
from jaxdistort.tasks import Classification, LabelSpace
from tests.models.networks import made_up
from tests.test_files import ODD_NAMES

_LABELS = LabelSpace(("gaussian_blur", "gaussian_noise"), ("blur", "noise"))


def recogniser_of(name, folder):
  spec = NetworkSpec(name, 3, 32)
  description = Description(spec, Classification(_LABELS), {"name": "variable", "jpeg_quality": 0}, "samples")
  return Recogniser(description, *made_up(spec), folder, 0)


@pytest.mark.long
def test_grad_cam_is_what_its_paper_says(photographs, tmp_path):
  """By finite sums: the gradient of a linear classifier is its kernel, whose mean over space weights each channel."""
  recogniser = recogniser_of("compact", tmp_path)
  images = jnp.asarray(photographs[:, :32, :32])

  @jax.jit
  def parts(variables):
    network = merge_network(recogniser.structure, variables)
    network.eval()
    features = network.features(images)
    return features, network.classify(features), network.out.kernel[...]

  features, outputs, kernel = map(np.asarray, parts(recogniser.variables))
  kernel = kernel.reshape(*features.shape[1:], 3)
  for answer in (None, "gaussian_blur"):
    explained = make_explainer(recogniser, answer)(recogniser.variables, images)
    chosen = outputs.argmax(-1) if answer is None else np.full(8, 1)
    np.testing.assert_array_equal(explained.target, chosen)
    weights = kernel.mean((0, 1))[:, chosen].T[:, None, None]
    np.testing.assert_allclose(explained.activation, np.maximum((features * weights).sum(-1), 0), rtol=1e-3, atol=1e-6)
  assert explained.saliency is None
  np.testing.assert_allclose(np.exp(explained.scores).sum(-1), 1, rtol=1e-5)


def test_a_figure_a_picture_and_a_word_on_those_that_cannot_be_read(folder_of_photographs, tmp_path):
  photos = Path(folder_of_photographs)
  (tmp_path / "more").mkdir()
  twin = tmp_path / "more" / "photo_01.png"
  twin.write_bytes((photos / "photo_02.png").read_bytes())
  pictures = [photos / "photo_01.png", photos / "truncated.png", twin, tmp_path / "nowhere.jpg"]
  done = []
  recogniser = recogniser_of("compact", tmp_path)
  results = draw_explanations(recogniser, pictures, output=tmp_path / "out", on_done=done.append)
  assert results == done
  assert [result.figure and result.figure.name for result in results] == [
    "photo_01_explained.png",
    None,
    "photo_01_explained_2.png",
    None,
  ]
  assert "No such file" in results[3].message
  with Image.open(results[0].figure) as figure:
    assert figure.width > 1.5 * figure.height


@pytest.mark.long
def test_pictures_of_any_name_are_explained(tmp_path):
  """Those behind a name that is too long, too; each has a figure of its own."""
  names = [ODD_NAMES[-1], "n" * 250 + "m.png", "a\r$1$日本.png"]
  for name in names:
    Image.new("RGB", (40, 40)).save(tmp_path / name)
  recogniser = recogniser_of("compact", tmp_path)
  results = draw_explanations(recogniser, [tmp_path / name for name in names], output=tmp_path / "out")
  assert len({result.figure for result in results}) == len(names)
  assert all(result.figure and result.figure.is_file() for result in results)


def test_no_figure_is_put_among_photographs(folder_of_photographs, tmp_path):
  picture = Path(folder_of_photographs) / "photo_01.png"
  (tmp_path / "other").mkdir()
  shutil.copy(picture, tmp_path / "other")
  for output in (picture.parent, tmp_path / "other", tmp_path):
    with pytest.raises(InputError, match=r"holds pictures, such as .*; give another"):
      draw_explanations(recogniser_of("compact", tmp_path), [picture], output=output)


def test_what_cannot_be_explained_is_reported(tmp_path):
  with pytest.raises(InputError, match=r"answer: 'gausian_blur' is not one of clean, .*did you mean 'gaussian_blur'"):
    draw_explanations(recogniser_of("compact", tmp_path), [], output=tmp_path, answer="gausian_blur")
  for name in ("softmax", "multiscale"):
    with pytest.raises(InputError, match=f"{name} does not answer from a map alone"):
      draw_explanations(recogniser_of(name, tmp_path), [], output=tmp_path)


@pytest.mark.long
@pytest.mark.usefixtures("short_resnet")
def test_sgdnet_shows_its_saliency(photographs, tmp_path):
  recogniser = recogniser_of("sgdnet_transfer", tmp_path)
  images = jnp.asarray(photographs)
  explained = make_explainer(recogniser)(recogniser.variables, images)
  assert explained.saliency.shape == explained.activation.shape == (8, 2, 2)
  assert float(explained.saliency.min()) >= 0
  logits, _ = jax.jit(run_network, static_argnums=0)(recogniser.structure, recogniser.variables, images)
  np.testing.assert_allclose(explained.scores, jax.nn.log_softmax(logits), atol=1e-5)


def test_a_map_of_zeros_is_drawn(tmp_path, photographs):
  draw_explanation(photographs[0], {"evidence": np.zeros((4, 4))}, "cost_$5_$6.png", tmp_path / "zeros.png")
  assert (tmp_path / "zeros.png").stat().st_size > 1000
