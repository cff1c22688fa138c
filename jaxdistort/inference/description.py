"""What a checkpoint or a model file says of its network: enough to build it and to understand its answers."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from jaxdistort.models import NetworkSpec
from jaxdistort.tasks import Task, task_from_dict

VERSION = 1  # of the form of descriptions


@dataclasses.dataclass(frozen=True)
class Description:
  """Of a network that was trained. Nothing in it is looked up in tables of the program that reads it.

  Attributes:
    network: what it is built from.
    task: what it answers, with its label space.
    protocol: that it was trained in, see `Protocol.describe`.
    source: of the clean pictures that it was trained on.
    view: how pictures of any size are looked at unless something else is asked, one of `VIEWS`.
    backbone: name and SHA-256 of weights that are kept elsewhere; empty if there are none.
  """

  network: NetworkSpec
  task: Task
  protocol: Mapping[str, Any]
  source: str
  view: str = "patches"
  backbone: Mapping[str, str] = dataclasses.field(default_factory=dict)

  @property
  def jpeg_quality(self) -> int:
    """Of the last step of the training's pictures; 0: none."""
    return int(self.protocol["jpeg_quality"])

  def to_dict(self) -> dict[str, Any]:
    return {
      "version": VERSION,
      "network": self.network.to_dict(),
      "task": self.task.to_dict(),
      "protocol": dict(self.protocol),
      "source": self.source,
      "view": self.view,
      "backbone": dict(self.backbone),
    }

  def to_shared_dict(self) -> dict[str, Any]:
    """The same for a file that goes to others: of the folders of the training only the last names are kept, and no
    weights lie elsewhere.
    """
    return self.to_dict() | {"backbone": {}, "source": re.sub(r":[^+]*/", ":", self.source)}

  @classmethod
  def from_dict(cls, values: Mapping[str, Any]) -> "Description":
    """Reads what `to_dict` gave.

    Raises:
      InputError: a task that this version does not have.
      ValueError, KeyError, TypeError: it is no such description.
    """
    if values["version"] != VERSION:
      raise ValueError(f"a description of version {values['version']}, this program reads {VERSION}")
    return cls(
      NetworkSpec.from_dict(values["network"]),
      task_from_dict(values["task"]),
      values["protocol"],
      values["source"],
      values["view"],
      values["backbone"],
    )
