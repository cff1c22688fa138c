"""What an evaluation found, typed: where it comes from, and the figures of each way to look."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from jaxdistort.inference import Recogniser
from jaxdistort.metrics.figures import Figures, LabelledFigures

STANDARD = "standard"
"""The view of pictures that a protocol distorted: squares of the network's size."""


@dataclasses.dataclass(frozen=True)
class Origin:
  """Where figures come from.

  Attributes:
    checkpoint: path of the checkpoint or model file.
    step: updates that made its weights.
    model: architecture.
    task: its name.
    image_size: side in pixels of the squares that the network sees.
    data: the pictures, as they were named.
    jpeg_quality: of the last step; 0: none.
    trained_for: protocol of the training.
    trained_on: source of the training.
    trained_jpeg: JPEG quality of the training.
    split: of clean pictures; "" of a database.
    fingerprint: of the pictures, see `PictureSet.fingerprint`, `LabelledSet.fingerprint`; "" of another database.
    seen: of these pictures, how many are copies of some that the network was trained or validated on.
    protocol: that distorted; "" of a database.
    database: its name; "" where a protocol distorted.
    score: what people's judgements in it are; "" where there are none.
    labels: type of the database -> our name.
    broken: pictures that could not be read.
    problems: what is amiss in the data, a line each.
  """

  checkpoint: str
  step: int
  model: str
  task: str
  image_size: int
  data: str
  jpeg_quality: int
  trained_for: str
  trained_on: str
  trained_jpeg: int
  split: str = ""
  fingerprint: str = ""
  seen: int = 0
  protocol: str = ""
  database: str = ""
  score: str = ""
  labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
  broken: int = 0
  problems: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Report:
  """An evaluation's figures.

  Attributes:
    origin: where they come from.
    views: how the pictures were looked at -> figures; `STANDARD` alone where a protocol distorted.
  """

  origin: Origin
  views: Mapping[str, Figures] | Mapping[str, LabelledFigures]

  @property
  def figures(self) -> Figures | LabelledFigures:
    """Of the only view, or of the first."""
    return next(iter(self.views.values()))

  def to_dict(self) -> dict[str, Any]:
    """Ready for JSON: the fields of `Origin`, and views."""
    origin = dataclasses.asdict(self.origin)
    return origin | {"views": {view: figures.to_dict() for view, figures in self.views.items()}}


def origin_of(recogniser: Recogniser, *, data: str, jpeg_quality: int, **more: Any) -> Origin:
  """The origin of figures of a network; `more` are further fields."""
  description = recogniser.description
  return Origin(
    str(recogniser.path),
    recogniser.step,
    description.network.name,
    description.task.name,
    recogniser.image_size,
    data,
    jpeg_quality,
    description.protocol["name"],
    description.source,
    description.jpeg_quality,
    **more,
  )
