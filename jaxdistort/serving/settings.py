"""What a server may be told, and how much of anything it takes."""

import dataclasses
import json

from jaxdistort.human.questionnaire import NAMING
from jaxdistort.human.questions import QUESTIONS

_MIB = 2**20


@dataclasses.dataclass(frozen=True)
class Limits:
  """How much a server takes, beyond which a request is refused with the status in brackets.

  Attributes:
    request_bytes: of a request's body (413).
    bytes_under_way: of all bodies together (503).
    pictures: in a request (413).
    pixels: of a picture (422).
    distorted_pixels: of a picture that is to be distorted, of which several copies in floating point are made (413).
    distorted_side: of its longer side; some distortions make a square of it (413).
    queue: requests that are read and have no answer yet (503).
    sending: seconds for a request's body to arrive (408).
    answering: seconds for the answer (503).
    company: seconds that a picture waits at most for others, to be judged with them.
  """

  request_bytes: int = 64 * _MIB
  bytes_under_way: int = 512 * _MIB
  pictures: int = 64
  pixels: int = 50_000_000
  distorted_pixels: int = 4_000_000
  distorted_side: int = 4096
  queue: int = 64
  sending: float = 30.0
  answering: float = 60.0
  company: float = 0.005


@dataclasses.dataclass(frozen=True)
class Settings:
  """What a server is told.

  Attributes:
    checkpoint: a run, a checkpoint or a model file; None: the weights of the package.
    token: that every request must bring, but for those of `/health`; "": none is asked for.
    hosts: names by which a request may call the server (its header `Host`), so that no other site's name can be pointed
      at it; none: any.
    keep: folder in which every picture that is judged is stored; "": none is.
    human_data: folder of clean pictures for a test of people; "": there is none.
    human_answers: file of its answers.
    human_mode: see `jaxdistort.human`.
    human_count: its questions.
    limits: see `Limits`.
  """

  checkpoint: str | None = None
  token: str = ""
  hosts: tuple[str, ...] = ()
  keep: str = ""
  human_data: str = ""
  human_answers: str = ""
  human_mode: str = NAMING
  human_count: int = QUESTIONS
  limits: Limits = dataclasses.field(default_factory=Limits)

  def to_json(self) -> str:
    return json.dumps(dataclasses.asdict(self))

  @classmethod
  def from_json(cls, text: str) -> "Settings":
    """The settings of which `to_json` gave the text: of one version to itself, between its processes."""
    told = json.loads(text)
    return cls(**told | {"hosts": tuple(told["hosts"]), "limits": Limits(**told["limits"])})
