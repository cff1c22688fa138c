"""Our file of weights: what it carries, and that it is the same for the same weights."""

import hashlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from safetensors import safe_open

from jaxdistort.config import TrainConfig
from jaxdistort.errors import InputError
from jaxdistort.models import create_model, split_network
from jaxdistort.runtime.mesh import create_mesh, replicated
from jaxdistort.weights import convert, load_base, load_pretrained, open_base, open_weights
from tests.weights import our_files
from tests.weights.test_torch import save_torch, vgg16_state_dict


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


def test_its_preprocessing_is_applied(tmp_path, photographs):
  """The same weights, told that pictures are blue first: a network that sees them so."""
  images = jnp.asarray(photographs[:1, :32, :32])
  by_name = {
    name: load_pretrained(our_files.write(tmp_path / name, "vgg16", preprocessing=name).path)
    for name in ("raw", "keras")
  }
  levels = images.astype(jnp.float32)
  np.testing.assert_array_equal(by_name["raw"](images), by_name["raw"].base(levels))
  means = jnp.array([103.939, 116.779, 123.68]).reshape(1, 1, 1, 3)
  np.testing.assert_allclose(by_name["keras"](images), by_name["raw"].base(levels[..., ::-1] - means), rtol=1e-5)


@pytest.mark.parametrize("fine_tune", [False, True])
def test_a_base_is_loaded_where_it_belongs(fine_tune, tmp_path):
  file = our_files.write(tmp_path / "vgg16.safetensors", "vgg16")
  build = lambda: create_model("vgg_transfer", 3, fine_tune=fine_tune, dtype=jnp.bfloat16, rngs=nnx.Rngs(0))
  _, like = split_network(nnx.eval_shape(build))
  loaded = load_base(file, like, replicated(create_mesh()))
  assert (set(loaded.parameters), set(loaded.frozen)) == (({"base"}, set()) if fine_tune else (set(), {"base"}))
  kernel = (loaded.parameters if fine_tune else loaded.frozen)["base"]["layers"]["block4_conv3"]["kernel"]
  assert kernel.dtype == (jnp.float32 if fine_tune else jnp.bfloat16)  # trained weights are never kept in bfloat16
  assert len(kernel.sharding.device_set) == jax.device_count()
  with safe_open(file.path, "numpy") as arrays:
    np.testing.assert_array_equal(kernel, arrays.get_tensor("layers.block4_conv3.kernel").astype(kernel.dtype))


@pytest.mark.parametrize(
  ("model", "weights", "expected"),
  [
    ("vgg_transfer", "", "no weights are given; vgg_transfer needs .*--from keras-vgg16 --download --output weights"),
    ("vgg_transfer", "{}/nowhere", "nowhere: no such file; vgg_transfer needs --config.model.weights=FILE"),
    ("sgdnet_transfer", "", "--from sgdnet FILE .from https://github.com/ysyscool/SGDNet. --output weights/sgdnet"),
    ("sgdnet_transfer", "{}/vgg16.safetensors", "holds vgg16, sgdnet_transfer needs sgdnet"),
    ("vgg_scratch", "random", "vgg_scratch takes no weights from elsewhere .vgg_transfer, sgdnet_transfer"),
  ],
)  # fmt: skip
def test_weights_that_do_not_fit_are_told_in_one_line(model, weights, expected, tmp_path):
  our_files.write(tmp_path / "vgg16.safetensors", "vgg16")
  config = TrainConfig()
  config.model.name, config.model.weights = model, weights.format(tmp_path)
  with pytest.raises(InputError, match=expected) as told:
    config.open_base()
  assert "\n" not in str(told.value)


def test_networks_without_a_base_need_no_weights():
  assert open_base("compact", "") is None
  assert open_base("vgg_transfer", "random") is None
