"""Our networks, their training step and their answers in PyTorch and ONNX Runtime. Imports those when called."""

import io
import os
import warnings
from typing import Any, Literal, NamedTuple

import jax
import numpy as np

from benchmarks.timing import Turn, calling
from jaxdistort.config import TrainConfig
from jaxdistort.models import compact
from jaxdistort.models.vgg import BLOCKS

# Threads of OpenMP that spin while they wait take the cores from whoever has the turn.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

NOTE = "given distorted pictures that are already on the device and scaled; no distortion in its step"


class Layer(NamedTuple):
  """A layer of a network that is a chain; a ReLU follows each but the pools and the last.

  Attributes:
    kind: a convolution of 3 x 3 with a margin of one, a dense layer, a pool of 2 x 2, or what makes a block of
      2 x 2 pixels one place.
    inputs, outputs: channels; of a dense layer numbers.
    stride: of a convolution.
    normalised: whether batch normalisation follows, in place of a bias.
  """

  kind: Literal["convolution", "dense", "pool", "blocks"]
  inputs: int = 0
  outputs: int = 0
  stride: int = 1
  normalised: bool = False

  @property
  def parameters(self) -> int:
    """How many numbers are trained."""
    if self.kind in ("pool", "blocks"):
      return 0
    area, vectors = (9 if self.kind == "convolution" else 1), (2 if self.normalised else 1)
    return area * self.inputs * self.outputs + vectors * self.outputs


def layers_of(name: str, image_size: int, outputs: int, *, head_convolutions: int = 1) -> list[Layer]:
  """The layers of `compact` or `vgg_scratch`."""
  if name == "compact":
    layers, channels, size = [Layer("blocks")], 12, image_size // 2
    for width, stride in compact._STAGES:
      layers.append(Layer("convolution", channels, width, stride, normalised=True))
      channels, size = width, -(-size // stride)
    return [*layers, Layer("dense", size * size * channels, outputs)]
  layers, channels = [], 3
  for widths in [*BLOCKS[:4], (512,) * head_convolutions]:
    for width in widths:
      layers.append(Layer("convolution", channels, width))
      channels = width
    layers.append(Layer("pool"))
  return [*layers, Layer("dense", (image_size // 32) ** 2 * channels, 4096), Layer("dense", 4096, outputs)]


def build_network(layers: list[Layer], *, dropout: float = 0.0) -> Any:
  """A chain of layers as a module of torch; dropout before the last layer."""
  from torch import nn

  modules: list[Any] = []
  flat = False
  for layer in layers:
    if layer.kind == "pool":
      modules.append(nn.MaxPool2d(2))
    elif layer.kind == "blocks":
      modules.append(nn.PixelUnshuffle(2))
    elif layer.kind == "convolution":
      bias = not layer.normalised
      modules.append(nn.Conv2d(layer.inputs, layer.outputs, 3, stride=layer.stride, padding=1, bias=bias))
      modules += [nn.BatchNorm2d(layer.outputs)] if layer.normalised else []
      modules.append(nn.ReLU(inplace=True))
    else:
      last = layer is layers[-1]
      modules += [] if flat else [nn.Flatten()]
      modules += [nn.Dropout(dropout)] if last and dropout else []
      modules += [nn.Linear(layer.inputs, layer.outputs)] + ([] if last else [nn.ReLU(inplace=True)])
      flat = True
  return nn.Sequential(*modules).to(memory_format=_channels_last())


def scaled_planes(images: Any) -> Any:
  """uint8 [B, S, S, 3] as float32 [B, 3, S, S] from -1 to 1, channels last in memory."""
  import torch

  planes = torch.from_numpy(np.array(images).transpose(0, 3, 1, 2)).to(torch.float32)
  return ((planes - 127.5) / 127.5).contiguous(memory_format=_channels_last())


def training_turn(config: TrainConfig, images: jax.Array) -> tuple[Turn, str]:
  """Training steps of VGG16 on one batch: cross entropy and RMSProp as in the config, in PyTorch's best form.

  Channels last everywhere; on CUDA bfloat16 autocast and torch.compile, on CPU float32 as written.

  Args:
    config: of the run.
    images: as the network gets them, uint8 [B, S, S, 3], S the config's image size.

  Returns:
    The turn, and the name of the device.
  """
  import torch

  classes, model = config.create_task(config.create_protocol()).width, config.model
  layers = layers_of(model.name, config.data.image_size, classes, head_convolutions=model.head_convolutions)
  network = build_network(layers, dropout=model.dropout)
  rate = config.optimizer.learning_rate
  turn = step_turn(network, scaled_planes(images), classes, config.optimizer.name, rate)
  on_cuda = torch.cuda.is_available()
  return turn, torch.cuda.get_device_name() if on_cuda else f"cpu, {torch.get_num_threads()} threads"


def step_turn(network: Any, scaled: Any, classes: int, optimizer: str, rate: float) -> Turn:
  """Training steps of a network on one batch; optimizer adam or rmsprop."""
  import torch

  on_cuda = torch.cuda.is_available()
  torch.backends.cudnn.benchmark = True  # as XLA does, it tries which convolution is the fastest for these shapes
  place = "cuda" if on_cuda else "cpu"
  network, scaled = network.to(place).train(), scaled.to(place)
  if optimizer == "adam":
    update: Any = torch.optim.Adam(network.parameters(), lr=rate, eps=1e-7)
  else:
    update = torch.optim.RMSprop(network.parameters(), lr=rate, alpha=0.9, eps=1e-7)
  labels = torch.arange(len(scaled), device=place) % classes

  def loss_of(pictures: Any) -> Any:
    with torch.autocast("cuda", torch.bfloat16, enabled=on_cuda):
      return torch.nn.functional.cross_entropy(network(pictures), labels)

  loss_of = torch.compile(loss_of) if on_cuda else loss_of

  def step() -> None:
    update.zero_grad(set_to_none=True)
    loss_of(scaled).backward()
    update.step()
    if on_cuda:
      torch.cuda.synchronize()

  return calling(step)


def answers_turn(network: Any, scaled: Any) -> Turn:
  """Answers of a network on CPU."""
  import torch

  network = network.eval()

  def answer() -> None:
    with torch.inference_mode():
      network(scaled)

  return calling(answer)


def onnx_turn(network: Any, scaled: Any) -> Turn:
  """Answers of the same network in ONNX Runtime on CPU; wants the packages onnx and onnxruntime."""
  import onnxruntime
  import torch

  file = io.BytesIO()
  with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the older exporter, which wants no package but onnx, says that it is older
    torch.onnx.export(network.eval(), (scaled,), file, input_names=["pictures"], dynamo=False)
  session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
  feed = {"pictures": np.ascontiguousarray(scaled.numpy())}
  return calling(lambda: session.run(None, feed))


def _channels_last() -> Any:
  import torch

  return torch.channels_last
