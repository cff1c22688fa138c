"""Broken files of weights: one line that names what is wrong, and nothing half-written."""

import io
import sys
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest
from safetensors.numpy import save_file

from jaxdistort.errors import InputError, MissingExtra
from jaxdistort.models.weights import convert, expected_shapes, find_pretrained, keras, open_weights, torch
from tests.models.weights.test_torch import save_torch, vgg16_state_dict


def write_keras_vgg16(path, *, leave_out=(), shapes=None, values=None, dtype="f4"):
  """A Keras 2 file of VGG16 without Keras; zeros but for `values`, in the right shapes but for `shapes`.

  The numbers are the datasets' fill values, which take no place in the file.
  """
  with h5py.File(path, "w") as file:
    layers = {}
    for name, shape in expected_shapes(find_pretrained("vgg16")).items():
      _, layer, role = name.split(".")
      weight = f"{layer}/{role}"
      if weight not in leave_out:
        given, value = (shapes or {}).get(weight, shape), (values or {}).get(weight, 0)
        file.create_dataset(f"{layer}/{weight}:0", given, dtype, fillvalue=value)
        layers.setdefault(layer, []).append(f"{weight}:0")
    file.attrs["layer_names"] = list(layers)
    for layer, names in layers.items():
      file[layer].attrs["weight_names"] = names
  return path


def _half(path):
  content = path.read_bytes()
  path.write_bytes(content[: len(content) // 2])
  return path


def _written(path, content):
  path.write_bytes(content)
  return path


def _hdf5_of_something_else(path):
  with h5py.File(path, "w") as file:
    file["measurements"] = np.zeros(3)
  return path


def _dangling(path):
  with h5py.File(path, "w") as file:
    file["block1_conv1/kernel/deeper"] = np.zeros(3)
    file["block1_conv1"].attrs["weight_names"] = ["kernel"]
    file.attrs["layer_names"] = ["block1_conv1"]
  return path


def _newest_keras(path):
  with h5py.File(path, "w") as file:
    file["layers/conv2d/vars/0"] = np.zeros((3, 3, 3, 64))
  return path


def _flipped(path):
  """A compressed dataset with a byte changed: the header is whole, the array is not."""
  with h5py.File(write_keras_vgg16(path), "a") as file:
    place = "block1_conv1/block1_conv1/kernel:0"
    del file[place]
    file.create_dataset(
      place, data=np.random.default_rng(0).normal(size=(3, 3, 3, 64)).astype("f4"), compression="gzip"
    )
    offset = file[place].id.get_chunk_info(0).byte_offset
  content = bytearray(path.read_bytes())
  content[offset + 100] ^= 0xFF
  return _written(path, bytes(content))


def _vgg19(path):
  with h5py.File(write_keras_vgg16(path), "a") as file:
    file["block3_conv4/block3_conv4/kernel:0"] = np.zeros((3, 3, 256, 256), "f4")
    file["block3_conv4"].attrs["weight_names"] = ["block3_conv4/kernel:0"]
    file.attrs["layer_names"] = [*file.attrs["layer_names"], "block3_conv4"]
  return path


def _torch(path, change):
  state = vgg16_state_dict()
  change(state)
  return save_torch(state, path)


def _zip(path):
  np.savez(path.with_suffix(".npz"), a=np.zeros(3))
  path.with_suffix(".npz").rename(path)
  return path


HERE = Path(__file__).parent
KERNEL = "block2_conv1/kernel"
BROKEN = {
  "missing": ("keras-vgg16", lambda p: p, "no such file"),
  "folder": ("keras-vgg16", lambda p: p.mkdir() or p, "is a folder"),
  "empty": ("keras-vgg16", lambda p: _written(p, b""), "not a whole HDF5 file"),
  "web page": ("keras-vgg16", lambda p: _written(p, b"<!DOCTYPE html><html>404"), "not a whole HDF5 file"),
  "pickle named as SGDNet's": ("sgdnet", lambda p: _written(p, b"\x80\x04]\x94."), "not a whole HDF5 file"),
  "cut short": ("keras-vgg16", lambda p: _half(write_keras_vgg16(p)), "not a whole HDF5 file.*truncated"),
  "not by Keras": ("keras-vgg16", _hdf5_of_something_else, "HDF5, but without weights as Keras writes them"),
  "names of nothing": ("keras-vgg16", _dangling, "damaged or not laid out by Keras"),
  "without names": ("keras-vgg16", _newest_keras, r"Keras 3's .weights.h5 form.*model.save\('x.h5'\)"),
  "tensor missing": (
    "keras-vgg16",
    lambda p: write_keras_vgg16(p, leave_out=(KERNEL,)),
    r"tensor block2_conv1/kernel is missing: expected shape \(3, 3, 64, 128\)",
  ),
  "other shape": (
    "keras-vgg16",
    lambda p: write_keras_vgg16(p, shapes={KERNEL: (128, 64, 3, 3)}),
    r"tensor block2_conv1/kernel: expected shape \(3, 3, 64, 128\), found \(128, 64, 3, 3\)",
  ),
  "not finite": (
    "keras-vgg16",
    lambda p: write_keras_vgg16(p, values={"block4_conv3/bias": np.nan}),
    "tensor block4_conv3/bias: 512 of its numbers are not finite",
  ),
  "whole numbers": (
    "keras-vgg16",
    lambda p: write_keras_vgg16(p, dtype="i4"),
    "tensor block1_conv1/bias: expected floating-point numbers, found int32",
  ),
  "damaged inside": ("keras-vgg16", _flipped, "tensor block1_conv1/kernel cannot be read, the file is damaged"),
  "another network": (
    "keras-resnet50",
    write_keras_vgg16,
    r"holds no tensor of resnet50: expected such as res2a_branch1/kernel .*, found block1_conv1/bias \(64,\)",
  ),
  "another network as SGDNet": ("sgdnet", write_keras_vgg16, "holds no tensor of sgdnet: expected such as"),
  "a deeper network": (
    "keras-vgg16",
    _vgg19,
    r"tensor block3_conv4/kernel: expected none, found shape \(3, 3, 256, 256\): not vgg16",
  ),
  "Keras as torch": ("torchvision-vgg16", write_keras_vgg16, "neither .safetensors nor .pth"),
  "safetensors cut short": ("torchvision-vgg16", lambda p: _half(_torch(p, lambda s: None)), "not a whole file"),
  "zip that is no model": ("torchvision-vgg16", _zip, "a zip archive, but not PyTorch's"),
  "torch, tensor missing": (
    "torchvision-vgg16",
    lambda p: _torch(p, lambda s: s.pop("features.21.weight")),
    r"tensor features.21.weight is missing: expected shape \(512, 512, 3, 3\)",
  ),
  "torch, other shape": (
    "torchvision-vgg16",
    lambda p: _torch(p, lambda s: s.update({"features.0.weight": np.zeros((3, 3, 3, 64), np.float32)})),
    r"tensor features.0.weight: expected shape \(64, 3, 3, 3\), found \(3, 3, 3, 64\)",
  ),
}


@pytest.mark.long
@pytest.mark.parametrize(
  "name", [pytest.param(name, marks=pytest.mark.slow) if name.startswith("another") else name for name in BROKEN]
)
def test_each_is_reported_and_leaves_nothing(name, tmp_path):
  kind, make, expected = BROKEN[name]
  source = make(tmp_path / "given")
  output = tmp_path / "out" / "weights.safetensors"
  with pytest.raises(InputError, match=expected) as reported:
    convert(kind, source, output)
  assert "\n" not in str(reported.value)
  assert str(source) in str(reported.value)
  assert not list(tmp_path.rglob("weights.safetensors*"))


@pytest.mark.long
def test_an_earlier_file_survives_a_broken_one(tmp_path):
  output = tmp_path / "weights.safetensors"
  convert("keras-vgg16", write_keras_vgg16(tmp_path / "good.h5"), output)
  before = output.read_bytes()
  with pytest.raises(InputError):
    convert("keras-vgg16", write_keras_vgg16(tmp_path / "bad.h5", leave_out=(KERNEL,)), output)
  assert output.read_bytes() == before


def test_a_file_is_not_converted_onto_itself(tmp_path):
  source = write_keras_vgg16(tmp_path / "vgg.h5")
  with pytest.raises(InputError, match="is the file to be converted"):
    convert("keras-vgg16", source, source)
  with pytest.raises(InputError, match=r"'keras-vg16' is not one of .*did you mean 'keras-vgg16'"):
    convert("keras-vg16", source, tmp_path / "out")
  with pytest.raises(InputError, match="the output must be a file"):
    convert("keras-vgg16", source, tmp_path)
  with pytest.raises(InputError, match="preprocessing: 'bgr'"):
    convert("keras-vgg16", source, tmp_path / "out", preprocessing="bgr")


@pytest.mark.slow
def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
  class Full(io.BytesIO):
    def write(self, content):
      raise OSError(28, "No space left on device")

  open_file = Path.open

  def open_on_full_disk(self, mode="r", *arguments, **options):
    if mode != "wb":
      return open_file(self, mode, *arguments, **options)
    self.touch()
    return Full()

  monkeypatch.setattr("pathlib.Path.open", open_on_full_disk)
  source = write_keras_vgg16(tmp_path / "vgg.h5")
  with pytest.raises(OSError, match="No space left"):
    convert("keras-vgg16", source, tmp_path / "out.safetensors")
  assert [path.name for path in tmp_path.iterdir()] == ["vgg.h5"]


def test_only_our_own_files_are_opened(tmp_path):
  save_file({"a": np.zeros(3, np.float32)}, tmp_path / "foreign.safetensors")
  (tmp_path / "text.safetensors").write_text("hello")
  for name, expected in {
    "nowhere": "no such file",
    "": "is a folder",
    "text.safetensors": "not a whole safetensors file",
    "foreign.safetensors": "is not a file that `convert` wrote; convert it first",
  }.items():
    with pytest.raises(InputError, match=expected):
      open_weights(tmp_path / name)


def _bug(*arguments):
  raise KeyError("ours")


@pytest.mark.parametrize(
  ("kind", "place", "name"),
  [
    ("keras-vgg16", keras, "_places"),
    ("torchvision-vgg16", torch, "_view"),
    ("torchvision-vgg16", torch._View, "of"),
  ],
)
def test_bugs_of_ours_are_not_reported_as_damage(kind, place, name, tmp_path, monkeypatch):
  source = tmp_path / "given"
  source.write_bytes((HERE / "tiny_zip.pth").read_bytes())
  if kind == "keras-vgg16":
    write_keras_vgg16(source)
  monkeypatch.setattr(place, name, _bug)
  if name == "of":
    with torch.open_torch(source) as tensors, pytest.raises(KeyError, match="ours"):
      next(iter(tensors.values())).read()
  else:
    with pytest.raises(KeyError, match="ours"):
      convert(kind, source, tmp_path / "out.safetensors")


@pytest.mark.parametrize(
  ("place", "message"),
  [
    ("_places", r"HDF5, but damaged or not laid out by Keras \(its reader crashed \(SIGKILL\)\)$"),
    ("_are_flipped", r"tensor block\w+/\w+ cannot be read, the file is damaged \(its reader crashed \(SIGKILL\)\)$"),
  ],
)
def test_a_file_that_crashes_its_reader_is_damaged(place, message, tmp_path, monkeypatch):
  """Before its layout is known, and after."""
  reading, inner, opened = keras.reading, getattr(keras, place), []

  @contextmanager
  def watched(*arguments):
    with reading(*arguments) as file:
      opened.append(file)
      yield file

  def crash(*arguments):
    opened[0]._process.kill()
    return inner(*arguments)

  monkeypatch.setattr(keras, "reading", watched)
  monkeypatch.setattr(keras, place, crash)
  with pytest.raises(InputError, match=message):
    convert("keras-vgg16", write_keras_vgg16(tmp_path / "vgg.h5"), tmp_path / "out.safetensors")
  assert not (tmp_path / "out.safetensors").exists()


def test_h5py_is_asked_for_where_it_is_missing(tmp_path, monkeypatch):
  monkeypatch.setitem(sys.modules, "h5py", None)
  (tmp_path / "vgg.h5").touch()
  with pytest.raises(MissingExtra, match=r"vgg\.h5: needs h5py.*install jaxdistort\[convert\]"):
    convert("keras-vgg16", tmp_path / "vgg.h5", tmp_path / "out.safetensors")
