"""Explanations: what the maps are, and what is drawn of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from PIL import Image

from jaxdistort.errors import InputError
from jaxdistort.inference.explaining import explain_pictures, make_explainer
from jaxdistort.reporting.grids import draw_explanation
from jaxdistort.models import create_model, merge_network, run_network, split_network
from tests.training.tiny import get_config, save_untrained


def test_grad_cam_is_what_its_paper_says(photographs):
  """By finite sums: the gradient of a linear classifier is its kernel, whose mean over space weights each channel."""
  structure, variables = split_network(create_model("compact", 3, image_size=32, rngs=nnx.Rngs(0)))
  images = jnp.asarray(photographs[:, :32, :32])
  network = merge_network(structure, variables)
  network.eval()
  features = np.asarray(network.features(images))
  kernel = np.asarray(network.out.kernel[...]).reshape(*features.shape[1:], 3)
  for target in (None, 1):
    explained = make_explainer(structure, target)(variables, images)
    chosen = np.asarray(network(images)).argmax(-1) if target is None else np.full(8, target)
    np.testing.assert_array_equal(explained.target, chosen)
    weights = kernel.mean((0, 1))[:, chosen].T[:, None, None]
    np.testing.assert_allclose(explained.activation, np.maximum((features * weights).sum(-1), 0), rtol=1e-3, atol=1e-6)
  assert explained.saliency is None
  np.testing.assert_allclose(explained.probabilities.sum(-1), 1, rtol=1e-5)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
  folder = tmp_path_factory.mktemp("explained") / "run"
  save_untrained(get_config(), folder)
  return folder


def test_a_figure_a_picture_and_a_word_on_those_that_cannot_be_read(run, folder_of_photographs, tmp_path):
  from pathlib import Path

  photos = Path(folder_of_photographs)
  (tmp_path / "more").mkdir()
  twin = tmp_path / "more" / "photo_01.png"
  twin.write_bytes((photos / "photo_02.png").read_bytes())
  pictures = [photos / "photo_01.png", photos / "truncated.png", twin, tmp_path / "nowhere.jpg"]
  told = []
  results = explain_pictures(run, pictures, output=tmp_path / "out", on_done=told.append)
  assert results == told
  assert [result.figure and result.figure.name for result in results] == [
    "photo_01_explained.png",
    None,
    "photo_01_explained_2.png",
    None,
  ]
  assert "No such file" in results[3].message
  with Image.open(results[0].figure) as figure:
    assert figure.width > 1.5 * figure.height


def test_what_cannot_be_explained_is_told(run, tmp_path):
  with pytest.raises(InputError, match=r"class: 'gausian_blur' is not one of .*did you mean 'gaussian_blur'"):
    explain_pictures(run, [], output=tmp_path, class_name="gausian_blur")
  config = get_config()
  config.model.name = "softmax"
  save_untrained(config, tmp_path / "softmax")
  with pytest.raises(InputError, match="softmax has no map"):
    explain_pictures(tmp_path / "softmax", [], output=tmp_path)


@pytest.mark.slow
def test_sgdnet_shows_its_saliency(photographs):
  network = create_model("sgdnet_transfer", 3, image_size=32, rngs=nnx.Rngs(0))
  structure, variables = split_network(network)
  images = jnp.asarray(photographs)
  explained = make_explainer(structure)(variables, images)
  assert explained.saliency.shape == explained.activation.shape == (8, 2, 2)
  assert float(explained.saliency.min()) >= 0
  logits, _ = jax.jit(run_network, static_argnums=0)(structure, variables, images)
  np.testing.assert_allclose(explained.probabilities, jax.nn.softmax(logits), atol=1e-5)


def test_a_map_of_zeros_is_drawn(tmp_path, photographs):
  draw_explanation(photographs[0], {"evidence": np.zeros((4, 4))}, "cost_$5_$6.png", tmp_path / "zeros.png")
  assert (tmp_path / "zeros.png").stat().st_size > 1000
