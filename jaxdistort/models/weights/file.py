"""Our file of weights: safetensors, with where they come from and what the pictures must look like."""

import dataclasses
import functools
import hashlib
import json
import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Sharding
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from jaxdistort.errors import InputError, reason_of
from jaxdistort.files import write_whole
from jaxdistort.models.layers import INPUT_SCALINGS
from jaxdistort.models.network import Variables
from jaxdistort.models.weights.kinds import KINDS


@dataclasses.dataclass(frozen=True)
class WeightsFile:
  """A converted file: its header, not its arrays.

  Attributes:
    path: of the file.
    architecture: name of a `Pretrained` network: vgg16, resnet50 or sgdnet.
    preprocessing: the one of `INPUT_SCALINGS` that the weights were trained with.
    source: name of the file that it was converted from.
    source_sha256: of that file.
  """

  path: Path
  architecture: str
  preprocessing: str
  source: str
  source_sha256: str

  @functools.cached_property
  def sha256(self) -> str:
    """Of the file itself; reads all of it."""
    return file_digest(self.path)


def file_digest(path: Path, algorithm: str = "sha256") -> str:
  """The hex digest of a file."""
  with path.open("rb") as file:
    return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()


def write_weights(
  path: Path, tensors: Mapping[str, np.ndarray], *, architecture: str, preprocessing: str, source: Path
) -> WeightsFile:
  """Writes arrays by name, whole or not at all; the same arrays and source give the same bytes."""
  header = {"architecture": architecture, "preprocessing": preprocessing, "source": source.name}
  header["source_sha256"] = file_digest(source)
  path.parent.mkdir(parents=True, exist_ok=True)
  write_tensors(path, tensors, header)
  return open_weights(path)


def write_tensors(path: Path, tensors: Mapping[str, np.ndarray], header: Mapping[str, str]) -> None:
  """Writes arrays by name as safetensors, whole or not at all; the same arrays and header give the same bytes."""
  content = save({name: np.ascontiguousarray(array) for name, array in tensors.items()}, dict(header))
  write_whole(path, _sorted_header(content))


def _sorted_header(content: bytes) -> bytes:
  """Sorts the header, whose entries the library writes in random order: a digest must not depend on it."""
  (length,) = struct.unpack("<Q", content[:8])
  header = json.dumps(json.loads(content[8 : 8 + length]), sort_keys=True, separators=(",", ":")).encode()
  header += b" " * (-len(header) % 8)
  return struct.pack("<Q", len(header)) + header + content[8 + length :]


def open_weights(path: str | Path) -> WeightsFile:
  """Reads the header of a converted file.

  Raises:
    InputError: there is no such file, or it is not one of ours.
  """
  place = Path(os.path.expanduser(path))
  if not place.is_file():
    raise InputError(f"weights {path}: {'is a folder' if place.is_dir() else 'no such file'}")
  try:
    place.open("rb").close()  # whose errors say what they are
    with safe_open(place, "numpy") as file:
      header = file.metadata() or {}
  except PermissionError as error:
    raise InputError(f"weights {path}: cannot be read ({reason_of(error)})") from error
  except (SafetensorError, OSError) as error:
    raise InputError(f"weights {path}: not a whole safetensors file ({error}); convert it again") from error
  names = [field.name for field in dataclasses.fields(WeightsFile)][1:]
  architectures = {kind.network.name for kind in KINDS.values()}
  known = set(names) <= set(header) and header["architecture"] in architectures
  if not known or header["preprocessing"] not in INPUT_SCALINGS:
    raise InputError(f"weights {path}: is not a file that `convert` wrote; convert it first")
  return WeightsFile(place, **{name: header[name] for name in names})


def stored_shapes(path: Path) -> dict[str, tuple[int, ...]]:
  """The arrays of a file: name -> shape."""
  with safe_open(path, "numpy") as arrays:
    return {name: tuple(arrays.get_slice(name).get_shape()) for name in arrays.keys()}  # noqa: SIM118  # not a dict


def _framework_for(path: Path) -> Literal["flax", "numpy"]:
  """NumPy has no bfloat16; by way of JAX every array costs the compilation of a copy."""
  with safe_open(path, "numpy") as arrays:
    stored = {arrays.get_slice(name).get_dtype() for name in arrays.keys()}  # noqa: SIM118  # not a dict
  return "flax" if "BF16" in stored else "numpy"


def load_tensors(
  path: Path, like: Any, sharding: Sharding, name_of: Callable[[str], str] = str, *, what: str = "weights"
) -> Any:
  """Reads arrays onto devices, one at a time.

  Args:
    path: where from.
    like: a pure dict of shapes and dtypes; "a.b.c" is the name of the array like["a"]["b"]["c"].
    sharding: where to.
    name_of: the name in the file of an array that is called so in `like`.
    what: what the file is, for messages.

  Raises:
    InputError: an array is missing or has another shape, or whole numbers in place of others.
  """
  shapes = stored_shapes(path)
  with safe_open(path, _framework_for(path)) as arrays:

    def load(place: Any, leaf: jax.ShapeDtypeStruct) -> jax.Array:
      name = name_of(".".join(str(part.key) for part in place))
      found = shapes.get(name, "none")
      if found != leaf.shape:
        raise InputError(f"{what} {path}: tensor {name}: expected shape {leaf.shape}, found {found}")
      array = np.asarray(arrays.get_tensor(name))
      if jnp.issubdtype(array.dtype, jnp.floating) != jnp.issubdtype(leaf.dtype, jnp.floating):
        raise InputError(f"{what} {path}: tensor {name}: expected {leaf.dtype}, found {array.dtype}")
      return jax.device_put(array.astype(leaf.dtype), sharding)

    return jax.tree_util.tree_map_with_path(load, like)


def load_backbone(file: WeightsFile, like: Variables, sharding: Sharding) -> Variables:
  """The variables of a network's backbone, frozen or not, from a file; without those of other layers.

  Raises:
    InputError: an array is missing or has another shape.
  """
  backbone = Variables(*({name: part[name] for name in ("backbone",) if name in part} for part in like))
  return Variables(*(load_tensors(file.path, part, sharding, backbone_name) for part in backbone))


def backbone_name(name: str) -> str:
  """The name in a file of an array of a network: a backbone is all there is in most files."""
  return name.removeprefix("backbone.")
