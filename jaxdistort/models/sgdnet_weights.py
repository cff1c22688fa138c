"""How the authors of SGDNet name its weights."""

import re
from collections.abc import Mapping
from typing import Any

from jaxdistort.models.resnet_weights import OWN, keras_names, with_our_epsilon
from jaxdistort.models.sgdnet import SGDNet
from jaxdistort.models.weights.keras import THEANO_AXES, open_keras
from jaxdistort.models.weights.kinds import KINDS, Kind, Pretrained, Published, ShapeOf, SourceName
from jaxdistort.models.weights.tensors import Tensors

_WIDTHS = (512, 1024)  # of its dense layers


def _options(shape_of: ShapeOf) -> Mapping[str, Any]:
  """The width of the dense layers in a file; the usual one if it is none of the two."""
  kernel = shape_of("quality.fc1.kernel") or (None,)
  return {"width": kernel[-1] if kernel[-1] in _WIDTHS else _WIDTHS[-1]}


def _names(tensors: Tensors) -> SourceName:
  """Three layers have no name but their number, which depends on what else the program had built: go by their order."""
  numbered = {
    kind: sorted(
      {name.split("/")[0] for name in tensors if re.fullmatch(rf"{kind}(_\d+)?/kernel", name)},
      key=lambda layer: int(layer.removeprefix(kind).lstrip("_") or 0),
    )
    for kind in ("conv2d", "dense")
  }
  found = [*numbered["conv2d"], *numbered["dense"]]
  unnamed = found if (len(numbered["conv2d"]), len(found)) == (1, 3) else ["conv2d_1", "dense_1", "dense_2"]
  layers = dict(zip(("reduce", "squeeze", "excite"), unnamed, strict=True))
  of_resnet = keras_names(tensors)

  def named(name: str) -> str:
    if name.startswith("resnet."):
      return of_resnet(name.removeprefix("resnet."))
    layer, role = name.removeprefix("quality.").split(".")
    return f"{layers.get(layer, layer)}/{role}"

  return named


KINDS.register(
  "sgdnet",
  Kind(
    Pretrained("sgdnet", SGDNet, _options),
    "keras",
    open_keras,
    _names,
    own=OWN,
    published=Published("sgdnet.pkl", "https://github.com/ysyscool/SGDNet"),
    other_axes=(THEANO_AXES,),
    adapt=with_our_epsilon,
  ),
)
