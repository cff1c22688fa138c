"""VGG16, ResNet50 and SGDNet built by Keras 3 with random weights, and saved as Keras 1, 2 and 3 did."""

import functools
import os

os.environ["KERAS_BACKEND"] = "jax"

import warnings
from pathlib import Path

import h5py
import jax
import numpy as np

with warnings.catch_warnings():
  warnings.simplefilter("ignore")
  import keras
  from keras import layers
  from keras.src.legacy.saving import legacy_h5_format

RESNET_STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))


@functools.cache
def vgg16(*, top: bool = False) -> keras.Model:
  if not top:
    return randomise(keras.applications.VGG16(weights=None, include_top=False, input_shape=(None, None, 3)))
  inputs = layers.Input((32, 32, 3))
  base = keras.applications.VGG16(weights=None, include_top=False, input_tensor=inputs)
  x = layers.Dense(8, name="fc1")(layers.Flatten()(base.output))  # stands for the 4,096 of the real top
  return randomise(keras.Model(inputs, layers.Dense(5, name="predictions")(x)))


@functools.cache
def newer_resnet50() -> keras.Model:
  """As in keras.applications since Keras 2.2.5: other names, other epsilon."""
  return randomise(keras.applications.ResNet50(weights=None, include_top=False, input_shape=(None, None, 3)))


@functools.cache
def sgdnet() -> tuple[dict[int, keras.Model], keras.Model, keras.Model]:
  """SGDNets of both widths (score alone), their trunk (pooled features, saliency, ResNet's map), and that ResNet50.

  The widths share the trunk, so that it is compiled once.
  """
  inputs = layers.Input((None, None, 3))
  x = _resnet50(inputs)
  features = layers.Conv2D(512, 1, activation="relu", use_bias=False, name="conv2d_1")(x)
  squeezed = layers.Dense(128, activation="relu", name="dense_1")(layers.GlobalAveragePooling2D()(features))
  attention = layers.Dense(512, activation="sigmoid", name="dense_2")(squeezed)
  saliency = layers.Conv2D(1, 1, activation="relu", use_bias=False, name="saliency")(features)
  attended = layers.multiply([layers.multiply([features, attention]), saliency])
  pooled = layers.GlobalAveragePooling2D()(attended)
  whole = {width: randomise(keras.Model(inputs, _quality(pooled, width))) for width in (512, 1024)}
  return whole, keras.Model(inputs, [pooled, saliency, x]), keras.Model(inputs, x)


def _quality(pooled, width):
  y = layers.Dense(width, activation="relu", name="fc1")(pooled)
  y = layers.Dense(width, activation="relu", name="fc2")(layers.Dropout(0.5)(y))
  return layers.Dense(1, name="predictions")(y)


def score(model: keras.Model, pooled: np.ndarray) -> np.ndarray:
  """What an SGDNet's last layers make of pooled features."""
  x = pooled
  with jax.numpy_rank_promotion("allow"):
    for name in ("fc1", "fc2", "predictions"):
      x = model.get_layer(name)(x)
  return np.asarray(x)[:, 0]


def _resnet50(x):
  x = layers.Conv2D(64, 7, strides=2, name="conv1")(layers.ZeroPadding2D(3)(x))
  x = layers.Activation("relu")(layers.BatchNormalization(name="bn_conv1")(x))
  x = layers.MaxPooling2D(3, strides=2)(layers.ZeroPadding2D(1)(x))
  for stage, (width, count) in enumerate(RESNET_STAGES, 2):
    for letter in "abcdef"[:count]:
      x = _block(x, width, f"{stage}{letter}", stride=2 if letter == "a" and stage > 2 else 1)
  return x


def _block(x, width, name, stride):
  def branch(y, suffix, channels, size=1, **options):
    y = layers.Conv2D(channels, size, padding="same", name=f"res{name}_branch{suffix}", **options)(y)
    return layers.BatchNormalization(name=f"bn{name}_branch{suffix}")(y)

  y = layers.Activation("relu")(branch(x, "2a", width, strides=stride))
  y = layers.Activation("relu")(branch(y, "2b", width, size=3))
  y = branch(y, "2c", 4 * width)
  shortcut = branch(x, "1", 4 * width, strides=stride) if name.endswith("a") else x
  return layers.Activation("relu")(layers.add([y, shortcut]))


def randomise(model: keras.Model) -> keras.Model:
  """Weights that keep signals in bounds, and statistics of batch normalisation that are not its first ones."""
  rng = np.random.default_rng(0)
  draw = {
    "kernel": lambda s: rng.normal(0, np.prod(s[:-1]) ** -0.5, s),
    "gamma": lambda s: rng.uniform(0.5, 1.5, s),
    "moving_variance": lambda s: rng.uniform(0.3, 2, s),
  }
  for layer in model.layers:
    names = [weight.path.rsplit("/", 1)[-1] for weight in layer.weights]
    weights = [draw.get(n, lambda s: rng.normal(0, 0.1, s))(w.shape) for n, w in zip(names, layer.weights, strict=True)]
    # Of random features one channel is as likely to be 0 everywhere: no test of it.
    layer.set_weights([abs(weight) for weight in weights] if layer.name == "saliency" else weights)
  return model


def predict(model: keras.Model, images: np.ndarray):
  """What Keras makes of pictures uint8 [B, H, W, 3] in RGB, with its own preprocessing."""
  inputs = keras.applications.imagenet_utils.preprocess_input(images.astype(np.float32), mode="caffe")
  with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
    return model.predict(inputs, verbose=0)


def save(model: keras.Model, path: Path, *, generation: int = 3, whole: bool = False) -> Path:
  """Writes weights, or a `whole` model, as HDF5 with the names of a generation of Keras."""
  with h5py.File(path, "w") as file:
    group = file.create_group("model_weights") if whole else file
    legacy_h5_format.save_weights_to_hdf5_group(group, model)
    if whole:
      file.create_group("optimizer_weights")["training/iterations"] = np.int64(7)
    if generation < 3:
      for layer in group.attrs["layer_names"]:
        _rename(group[layer], layer, generation)
  return path


def _rename(group: h5py.Group, layer: str, generation: int) -> None:
  """block1_conv1/kernel -> block1_conv1/kernel:0 (Keras 2) or block1_conv1_W_1:0 (Keras 1)."""
  first = {"kernel": "W", "bias": "b", "moving_mean": "running_mean", "moving_variance": "running_std"}
  names = []
  for name in list(group.attrs["weight_names"]):
    role = name.rsplit("/", 1)[-1]
    new = f"{layer}/{role}:0" if generation == 2 else f"{layer}_{first.get(role, role)}_1:0"
    group.move(name, f"renamed/{role}")
    names.append((new, role))
  if layer in group:
    del group[layer]
  for new, role in names:
    group.move(f"renamed/{role}", new)
  group.attrs["weight_names"] = np.array([new.encode() for new, _ in names], dtype="S")
