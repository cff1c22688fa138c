"""What a run takes over from another recogniser: all of its weights, but for an output layer of other answers."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from jaxdistort.errors import InputError
from jaxdistort.inference import Recogniser
from jaxdistort.models import NetworkSpec, Variables, split_network
from jaxdistort.tasks import Task

_OUTPUT = "out"  # the layer of every network whose width is the task's


def inherit(init: Recogniser, network: NetworkSpec, task: Task) -> Variables:
  """The parameters and statistics that a network begins with, of another recogniser; nothing that is frozen.

  The output layer is among them where both give the same answers: the same task in the same label space, from as many
  inputs. A layer that the other has frozen may be trained here.

  Args:
    init: the other one.
    network: that begins.
    task: what it is going to answer.

  Raises:
    InputError: pictures are scaled otherwise, or an array of another layer is missing or has another shape.
  """
  theirs, what = init.description.network, f"config: init {init.path}"
  if theirs.input_scaling != network.input_scaling:
    ours = f"model.input_scaling={theirs.input_scaling}"
    raise InputError(f"{what}: was trained on pictures scaled as {theirs.input_scaling}; give {ours} here too")
  like = split_network(nnx.eval_shape(lambda: network.draw(0)))[1]
  wanted, found = _by_name(like), _by_name(init.variables)
  changed = [name for name in {**wanted, **found} if _shape(wanted, name) != _shape(found, name)]
  for name in changed:
    if not _is_output(name):
      raise InputError(
        f"{what}: its array {name} has the shape {_shape(found, name)}, {network.name} here has "
        f"{_shape(wanted, name)}; expected a recogniser of the same architecture, not this {theirs.name}"
      )
  same_answers = not changed and (init.task.name, init.task.labels) == (task.name, task.labels)  # calibrated or not

  def taken(part: Any) -> Any:
    own = {name: layer for name, layer in part.items() if same_answers or name != _OUTPUT}
    return jax.tree_util.tree_map_with_path(lambda path, leaf: found[_name(path)].astype(leaf.dtype), own)

  return Variables(taken(like.parameters), taken(like.statistics), {})


def check_frozen(init: Recogniser, frozen: Any) -> None:
  """Raises InputError where the frozen layers of a network are not those that the other one learnt with."""
  found = _by_name(init.variables)
  for name, array in _by_name(Variables({}, {}, frozen)).items():
    rounded = array.astype(found[name].dtype)  # theirs may be of fewer bits
    if not jnp.array_equal(found[name], rounded):
      raise InputError(
        f"config: init {init.path}: was trained with another backbone than model.weights gives ({name} differs); give "
        "the same weights"
      )


def _by_name(variables: Variables) -> dict[str, Any]:
  """Every array as layers.0.kernel, whether it is trained or frozen."""
  leaves = [leaf for part in variables for leaf in jax.tree_util.tree_leaves_with_path(part)]
  return {_name(path): leaf for path, leaf in leaves}


def _name(path: Any) -> str:
  return ".".join(str(part.key) for part in path)


def _is_output(name: str) -> bool:
  return name.partition(".")[0] == _OUTPUT


def _shape(arrays: dict[str, Any], name: str) -> Any:
  return arrays[name].shape if name in arrays else "none"
