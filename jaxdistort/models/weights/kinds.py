"""The table of foreign files: for each kind all that `convert`, `download` and `load_pretrained` need to know."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from flax import nnx

from jaxdistort.errors import InputError
from jaxdistort.models.weights.tensors import Tensors
from jaxdistort.registry import Registry

Axes = tuple[int, int, int, int]

SourceName = Callable[[str], str]
"""The name in a foreign file of an array of our network ("layers.block1_conv1.kernel")."""

ShapeOf = Callable[[str], tuple[int, ...] | None]
"""The shape in a file of an array of our network; None if the file lacks it."""


def _no_options(shape_of: ShapeOf) -> Mapping[str, Any]:
  del shape_of
  return {}


class Pretrained(NamedTuple):
  """A network that weights from elsewhere fill whole.

  Attributes:
    name: of the architecture, in the header of our files; `Architecture.pretrained` of those that stand on it.
    build: `(*, input_scaling, dtype, rngs, **options)`: a module that takes uint8 [B, H, W, 3]. Its arrays below
      `backbone` are in our files without that prefix.
    options: of `build`, as the shapes in a file ask for them.
  """

  name: str
  build: Callable[..., nnx.Module]
  options: Callable[[ShapeOf], Mapping[str, Any]] = _no_options


class Published(NamedTuple):
  """A file that others publish.

  Attributes:
    name: what to call it.
    page: where its authors speak of it.
    url: where it is; empty if it must be fetched by hand.
    checksum: algorithm and hex digest, as its publisher gives it.
  """

  name: str
  page: str
  url: str = ""
  checksum: tuple[str, str] = ("", "")


class Kind(NamedTuple):
  """A kind of foreign file.

  Attributes:
    network: whose weights it holds.
    preprocessing: what its pictures went through, one of `INPUT_SCALINGS`.
    open: gives its tensors.
    names: gives the rule of its names, having seen them.
    own: pattern of names that only the network's own layers bear: one too many, and it is another network.
    published: the file as its authors publish it.
    axes: order in which a kernel of four dimensions must be read to be [H, W, in, out].
    other_axes: further orders that files of this kind may have; all kernels of a file have the same.
    adapt: makes of the arrays, by our names, those that our network needs; None if they are the same.
  """

  network: Pretrained
  preprocessing: str
  open: Callable[[Path], AbstractContextManager[Tensors]]
  names: Callable[[Tensors], SourceName]
  own: str
  published: Published
  axes: Axes = (0, 1, 2, 3)
  other_axes: tuple[Axes, ...] = ()
  adapt: Callable[[Tensors, Mapping[str, np.ndarray]], Mapping[str, np.ndarray]] | None = None

  @property
  def orders(self) -> tuple[Axes, ...]:
    return self.axes, *self.other_axes


KINDS: Registry[Kind] = Registry("kind of weights")
"""Foreign files that can be converted; the module `*_weights` beside each network registers those of its weights."""


def kinds_of(architecture: str) -> dict[str, Kind]:
  """The kinds of foreign files that hold weights of an architecture."""
  return {name: kind for name, kind in KINDS.items() if kind.network.name == architecture}


def find_pretrained(architecture: str) -> Pretrained:
  """The network of an architecture that some kind of foreign files holds.

  Raises:
    InputError: there is none.
  """
  for kind in kinds_of(architecture).values():
    return kind.network
  known = ", ".join(dict.fromkeys(kind.network.name for kind in KINDS.values()))
  raise InputError(f"architecture {architecture!r} is not one of {known}")
