"""Our file of weights: what it carries, and that it is the same for the same weights."""

import hashlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from safetensors import safe_open

from jaxdistort.errors import InputError
from jaxdistort.models import create_model, split_network
from jaxdistort.models.weights import (
  WeightsNeeded,
  convert,
  load_backbone,
  load_pretrained,
  open_backbone,
  open_weights,
)
from jaxdistort.runtime.mesh import create_mesh, replicated
from tests.models.weights import our_files
from tests.models.weights.test_torch import save_torch, vgg16_state_dict


@pytest.fixture(scope="module")
def vgg16_file(tmp_path_factory):
  return our_files.write(tmp_path_factory.mktemp("weights") / "vgg16.safetensors", "vgg16")


@pytest.mark.long
def test_it_carries_source_digests_and_preprocessing(tmp_path):
  source = save_torch(vgg16_state_dict(), tmp_path / "vgg16-abc.safetensors")
  file = convert("torchvision-vgg16", source, tmp_path / "out.safetensors")
  with safe_open(file.path, "numpy") as arrays:
    assert arrays.metadata() == {
      "architecture": "vgg16",
      "preprocessing": "torchvision",
      "source": "vgg16-abc.safetensors",
      "source_sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
    }
  assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()
  assert open_weights(file.path) == file
  assert convert("torchvision-vgg16", source, tmp_path / "again.safetensors").sha256 == file.sha256
  raw = convert("torchvision-vgg16", source, tmp_path / "raw.safetensors", preprocessing="raw")
  assert raw.preprocessing == "raw"
  assert raw.sha256 != file.sha256


@pytest.mark.long
def test_its_preprocessing_is_applied(tmp_path, photographs):
  """The same weights, told that pictures are blue first: a network that sees them so."""
  images = jnp.asarray(photographs[:1, :32, :32])
  by_name = {
    name: load_pretrained(our_files.write(tmp_path / name, "vgg16", preprocessing=name).path)
    for name in ("raw", "keras")
  }
  levels = images.astype(jnp.float32)
  np.testing.assert_array_equal(by_name["raw"](images), by_name["raw"].backbone(levels))
  means = jnp.array([103.939, 116.779, 123.68]).reshape(1, 1, 1, 3)
  np.testing.assert_allclose(by_name["keras"](images), by_name["raw"].backbone(levels[..., ::-1] - means), rtol=1e-5)


@pytest.mark.long
@pytest.mark.parametrize("fine_tune", [False, True])
def test_a_backbone_is_loaded_where_it_belongs(fine_tune, vgg16_file):
  file = vgg16_file
  build = lambda: create_model("vgg_transfer", 3, fine_tune=fine_tune, dtype=jnp.bfloat16, rngs=nnx.Rngs(0))
  _, like = split_network(nnx.eval_shape(build))
  loaded = load_backbone(file, like, replicated(create_mesh()))
  assert (set(loaded.parameters), set(loaded.frozen)) == (({"backbone"}, set()) if fine_tune else (set(), {"backbone"}))
  kernel = (loaded.parameters if fine_tune else loaded.frozen)["backbone"]["layers"]["block4_conv3"]["kernel"]
  assert kernel.dtype == (jnp.float32 if fine_tune else jnp.bfloat16)  # trained weights are never kept in bfloat16
  assert len(kernel.sharding.device_set) == jax.device_count()
  with safe_open(file.path, "numpy") as arrays:
    np.testing.assert_array_equal(kernel, arrays.get_tensor("layers.block4_conv3.kernel").astype(kernel.dtype))


@pytest.mark.parametrize(
  ("model", "weights", "expected"),
  [
    (
      "vgg_transfer",
      "",
      r"no weights are given; vgg_transfer needs model\.weights: a file of vgg16, which `convert` makes of keras-vgg16 "
      r"\(https://keras.io/\S+\) or torchvision-vgg16 \(https://\S+\); or 'random', for tests",
    ),
    ("vgg_transfer", "{}/nowhere", r"nowhere: no such file; vgg_transfer needs model\.weights: a file of vgg16"),
    ("sgdnet_transfer", "", r"`convert` makes of sgdnet \(https://github.com/ysyscool/SGDNet\)"),
    ("sgdnet_transfer", "{}/vgg16.safetensors", "holds vgg16, sgdnet_transfer needs sgdnet"),
    ("vgg_scratch", "random", "vgg_scratch takes no weights from elsewhere .vgg_transfer, sgdnet_transfer"),
  ],
)
def test_weights_that_do_not_fit_are_reported_in_one_line(model, weights, expected, vgg16_file):
  with pytest.raises(InputError, match=expected) as reported:
    open_backbone(model, weights.format(vgg16_file.path.parent))
  assert "\n" not in str(reported.value)


def test_missing_weights_name_what_can_be_converted_into_them():
  with pytest.raises(WeightsNeeded, match="vgg_transfer needs weights: a file") as reported:
    open_backbone("vgg_transfer", "", what="weights")
  assert (reported.value.architecture, reported.value.kinds) == ("vgg16", ("keras-vgg16", "torchvision-vgg16"))


def test_networks_without_a_backbone_need_no_weights():
  assert open_backbone("compact", "") is None
  assert open_backbone("vgg_transfer", "random") is None
