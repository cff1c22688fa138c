"""A recogniser as one file: safetensors, with its description in the header."""

import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
from flax import nnx
from jax.sharding import Sharding
from safetensors import SafetensorError, safe_open

from jaxdistort.data import Seen
from jaxdistort.errors import InputError, reason_of
from jaxdistort.files import parse_json
from jaxdistort.inference.description import Description
from jaxdistort.inference.recogniser import Recogniser
from jaxdistort.models import Variables, split_network
from jaxdistort.models.weights.file import load_tensors, write_tensors

SUFFIX = ".safetensors"
_FORMAT = "jaxdistort recogniser"
_SEEN = "seen"  # its array of `Seen`, beside the weights


def write_model_file(recogniser: Recogniser, path: Path) -> Path:
  """Writes a recogniser whole or not at all; backbone weights that its run kept elsewhere are in it too.

  The same recogniser gives the same bytes. bfloat16 stays bfloat16.
  """
  description = recogniser.description.to_shared_dict()
  header = {"format": _FORMAT, "description": json.dumps(description, sort_keys=True), "step": str(recogniser.step)}
  arrays = {name: np.asarray(leaf) for name, leaf in _named(recogniser.variables)}
  arrays[_SEEN] = recogniser.seen.hashes
  path.parent.mkdir(parents=True, exist_ok=True)
  write_tensors(path, arrays, header)
  return path


def _named(variables: Variables) -> list[tuple[str, Any]]:
  """parameters.layers.0.kernel, ..."""
  leaves = jax.tree_util.tree_leaves_with_path(variables._asdict())
  return [(".".join(str(part.key) for part in path), leaf) for path, leaf in leaves]


def read_model_file(path: Path, sharding: Sharding) -> Recogniser:
  """Reads what `write_model_file` wrote; its weights go to `sharding`.

  Raises:
    InputError: it is not such a file, is damaged, or of a network that this version does not have.
  """
  header, seen = _read_header(path)
  if header.get("format") != _FORMAT:
    raise InputError(f"model {path}: a safetensors file, but not one of a recogniser")
  try:
    description = Description.from_dict(parse_json(header["description"]))
    step = int(header["step"])
  except (ValueError, KeyError, TypeError) as error:
    raise InputError(f"model {path}: its description cannot be understood ({error}); convert its run again") from error
  structure, like = split_network(nnx.eval_shape(lambda: description.network.build(nnx.Rngs(0))))
  variables = Variables(**load_tensors(path, like._asdict(), sharding, what="model"))
  return Recogniser(description, structure, variables, path, step, seen)


def _read_header(path: Path) -> tuple[dict[str, str], Seen]:
  """The header, and what its network has seen; none of the weights."""
  try:
    path.open("rb").close()  # whose errors say what they are
    with safe_open(path, "numpy") as file:
      seen = Seen(file.get_tensor(_SEEN)) if _SEEN in file.keys() else Seen()  # noqa: SIM118, no mapping
      return file.metadata() or {}, seen
  except PermissionError as error:
    raise InputError(f"model {path}: cannot be read ({reason_of(error)})") from error
  except (SafetensorError, OSError) as error:
    raise InputError(f"model {path}: not a whole safetensors file ({error}); convert its run again") from error
