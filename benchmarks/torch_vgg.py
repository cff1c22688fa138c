"""The VGG16 of `models.vgg` and its training step in PyTorch, for comparison. Imports torch when called."""

from typing import Any

import jax
import numpy as np

from benchmarks.timing import Turn, calling
from jaxdistort.config import TrainConfig
from jaxdistort.models.vgg import BLOCKS

NOTE = "given distorted pictures that are already on the device and scaled; no distortion in its step"


def build_vgg(image_size: int, num_classes: int, *, head_convolutions: int = 1, dropout: float = 0.0) -> Any:
  """The network of `models.vgg.VGG`, whose backbone is trained too."""
  from torch import nn

  layers: list[Any] = []
  channels = 3
  for widths in BLOCKS[:4]:
    for width in widths:
      layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
      channels = width
    layers.append(nn.MaxPool2d(2))
  for _ in range(head_convolutions):
    layers += [nn.Conv2d(512, 512, 3, padding=1), nn.ReLU(inplace=True)]
  layers += [nn.MaxPool2d(2), nn.Flatten(), nn.Linear((image_size // 32) ** 2 * 512, 4096), nn.ReLU(inplace=True)]
  return nn.Sequential(*layers, nn.Dropout(dropout), nn.Linear(4096, num_classes))


def training_turn(config: TrainConfig, images: jax.Array) -> tuple[Turn, str]:
  """Training steps on one batch: cross entropy and RMSProp as in the config, in PyTorch's best form.

  Channels last everywhere; on CUDA bfloat16 autocast and torch.compile, on CPU float32 as written.

  Args:
    config: of the run.
    images: as the network gets them, uint8 [B, S, S, 3], S the config's image size.

  Returns:
    The turn, and the name of the device.
  """
  import torch

  on_cuda = torch.cuda.is_available()
  place = "cuda" if on_cuda else "cpu"
  classes, model = config.create_task(config.create_protocol()).width, config.model
  network = build_vgg(
    config.data.image_size, classes, head_convolutions=model.head_convolutions, dropout=model.dropout
  ).to(place, memory_format=torch.channels_last)
  optimizer = torch.optim.RMSprop(network.parameters(), lr=config.optimizer.learning_rate, alpha=0.9, eps=1e-7)
  planes = torch.from_numpy(np.array(images).transpose(0, 3, 1, 2)).to(place, torch.float32)
  scaled = ((planes - 127.5) / 127.5).contiguous(memory_format=torch.channels_last)
  labels = torch.arange(len(images), device=place) % classes

  def loss_of(pictures: Any) -> Any:
    with torch.autocast("cuda", torch.bfloat16, enabled=on_cuda):
      return torch.nn.functional.cross_entropy(network(pictures), labels)

  loss_of = torch.compile(loss_of) if on_cuda else loss_of

  def step() -> None:
    optimizer.zero_grad(set_to_none=True)
    loss_of(scaled).backward()
    optimizer.step()
    if on_cuda:
      torch.cuda.synchronize()

  return calling(step), torch.cuda.get_device_name() if on_cuda else f"cpu, {torch.get_num_threads()} threads"
