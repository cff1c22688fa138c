"""A recogniser as a file that runs without this package: StableHLO for JAX's exporter, ONNX for everything else."""

import json
import logging
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import jax
import jax.numpy as jnp
from jax import export

from jaxdistort.files import write_whole
from jaxdistort.inference.recogniser import Recogniser
from jaxdistort.inference.tiling import LEAST_SIDE
from jaxdistort.models import is_any_size
from jaxdistort.registry import Registry

OPSET = 23
"""Of ONNX; its runtime has it since 1.24."""
_PLATFORMS = ("cpu", "cuda")
_METADATA = "jaxdistort"

EXPORTS: Registry[Callable[[Recogniser, Path], None]] = Registry("suffix of an exported recogniser")
"""Writers by the suffix of the file."""


def export_recogniser(recogniser: Recogniser, path: Path) -> Path:
  """Writes the forward path, weights included, from squares or whole pictures to answers, and what the numbers mean.

  It takes pictures uint8 [B, H, W, 3], any B, and any H and W from 32 on where the network takes pictures of any size,
  and gives what `Task.exported` names. How pictures are cut into squares, and how their scores become one, it does not
  hold: see `inference.tiling`. PATH with the suffix .json says in its description the kinds, the groups, the side of
  squares and the calibration; so does the metadata of an ONNX file, under "jaxdistort".

  Args:
    recogniser: the network.
    path: with a suffix of `EXPORTS`: .stablehlo (what `jax.export.deserialize` reads, for CPU and CUDA), .onnx.

  Returns:
    The path.

  Raises:
    InputError: another suffix.
    ModuleNotFoundError: jax2onnx is not there (the extra `onnx` brings it), or flatbuffers (`stablehlo`).
  """
  write = EXPORTS.find(path.suffix, f"export {path}: suffix")
  path.parent.mkdir(parents=True, exist_ok=True)
  write(recogniser, path)
  write_whole(path.with_suffix(".json"), _description(recogniser) + "\n")
  return path


@EXPORTS.register(".stablehlo")
def _write_stablehlo(recogniser: Recogniser, path: Path) -> None:
  import flatbuffers  # noqa: F401, which serialising wants

  exported = export.export(jax.jit(_answers_of(recogniser)), platforms=_PLATFORMS)(_pictures(recogniser))
  write_whole(path, bytes(exported.serialize()))


@EXPORTS.register(".onnx")
def _write_onnx(recogniser: Recogniser, path: Path) -> None:
  import jax2onnx

  answers = _answers_of(recogniser)
  names = list(jax.eval_shape(answers, jax.ShapeDtypeStruct((1, *[recogniser.image_size] * 2, 3), jnp.uint8)))
  with _quiet():
    model = jax2onnx.to_onnx(
      lambda images: tuple(answers(images)[name] for name in names),
      [_pictures(recogniser)],
      model_name=recogniser.description.network.name,
      opset=OPSET,
      input_names=["images"],
      output_names=names,
    )
  model.metadata_props.add(key=_METADATA, value=_description(recogniser))
  write_whole(path, model.SerializeToString())


def _answers_of(recogniser: Recogniser) -> Callable[[jax.Array], dict[str, jax.Array]]:
  """Pictures to named answers; the weights are constants of the program."""
  return lambda images: recogniser.task.exported(recogniser.apply(recogniser.variables, images))


def _pictures(recogniser: Recogniser) -> jax.ShapeDtypeStruct:
  """Shapes that programs stay open to."""
  size = recogniser.image_size
  if is_any_size(recogniser.structure, recogniser.variables):
    limits = [f"h >= {LEAST_SIDE}", f"w >= {LEAST_SIDE}"]
    return jax.ShapeDtypeStruct((*export.symbolic_shape("b, h, w", constraints=limits), 3), jnp.uint8)
  return jax.ShapeDtypeStruct((*export.symbolic_shape("b"), size, size, 3), jnp.uint8)


def _description(recogniser: Recogniser) -> str:
  return json.dumps(recogniser.description.to_shared_dict(), sort_keys=True)


@contextmanager
def _quiet() -> Generator[None]:
  """Without what the exporter says of its own doings."""
  logger = logging.getLogger("onnx_ir")
  level = logger.level
  logger.setLevel(logging.ERROR)
  try:
    with warnings.catch_warnings():
      warnings.simplefilter("ignore")
      yield
  finally:
    logger.setLevel(level)
