"""What the commands' arguments have in common."""

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from jaxdistort.errors import InputError

if TYPE_CHECKING:
  from jaxdistort.inference import Recogniser


class ArgumentParser(argparse.ArgumentParser):
  """Describes a command by its module's text; raises InputError where the standard one prints the usage and ends."""

  def __init__(self, description: str | None = None, *, more: Callable[[], str] | None = None, **options: Any):
    super().__init__(description=description, formatter_class=argparse.RawDescriptionHelpFormatter, **options)
    self._more = more  # of the help: made when it is asked for, since it may import much

  def format_help(self) -> str:
    if self._more:
      self.epilog = self._more()
    return super().format_help()

  def error(self, message: str) -> NoReturn:
    raise InputError(f"{message}; see --help")


def at_least(least: int) -> Callable[[str], int]:
  """The type of an argument: a whole number from `least` on."""

  def parse(text: str) -> int:
    if not text.removeprefix("-").isdecimal() or int(text) < least:
      raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}, got {text!r}")
    return int(text)

  return parse


def output_folder(text: str) -> Path:
  """The type of an argument: a folder that is there or can be made."""
  if not text:
    raise argparse.ArgumentTypeError("nothing is given; give a folder")
  path = Path(text)
  there = next((place for place in (path, *path.parents) if os.path.exists(place)), path)
  if os.path.exists(there) and not os.path.isdir(there):
    raise argparse.ArgumentTypeError(f"{there} is a file; give a folder, or a name that is free")
  return path


def output_file(text: str) -> Path:
  """The type of an argument: a file that is there, to be replaced, or can be made."""
  path = Path(text)
  if not path.name or path.is_dir():
    raise argparse.ArgumentTypeError(f"{text or 'nothing'} is no file; give the name of one")
  output_folder(str(path.parent))
  return path


def describe_data(*, databases: bool = False) -> str:
  """What --data may be, for the end of a help: every source, and every database, that is registered, and labels."""
  from jaxdistort.data import LABELLED_HELP, describe_databases, describe_sources

  text = f"clean pictures (--data):\n{describe_sources(explained=True)}"
  if not databases:
    return text
  return f"{text}\n\ndatabases (--data):\n{describe_databases(explained=True)}\n\nlabelled (--data):\n{LABELLED_HELP}"


def add_checkpoint(parser: argparse.ArgumentParser, *, repeatable: bool = False) -> None:
  """The network that a command uses, and the weights that it may stand on."""
  parser.add_argument(
    "--checkpoint",
    required=True,
    action="append" if repeatable else "store",
    help="folder of a run (its best checkpoint), one checkpoint, or a model file" + "; repeatable" * repeatable,
  )
  parser.add_argument(
    "--weights", default=None, help="of the backbone of a transfer network, if they are not where the training had them"
  )


def add_recogniser(parser: argparse.ArgumentParser) -> None:
  """The network of a command for people with pictures."""
  parser.add_argument(
    "--checkpoint", default=None, help="run, checkpoint or model file; the weights of the package unless given"
  )


def load_on_all_devices(checkpoint: str, weights: str | None) -> "Recogniser":
  """The network of a command that `add_checkpoint` describes, whole on every device."""
  from jaxdistort.inference import load
  from jaxdistort.runtime.mesh import create_mesh, replicated

  return load(checkpoint, sharding=replicated(create_mesh()), weights=weights)


def add_judging(
  parser: argparse.ArgumentParser,
  *,
  a_batch_of: str,
  splits: Sequence[str] = ("auto", "all", "train", "validation", "test"),
) -> None:
  """What all commands that judge networks can be given."""
  parser.add_argument(
    "--split",
    choices=splits,
    default=None,
    help="auto (default): all pictures that no network has seen in its training",
  )
  parser.add_argument(
    "--jpeg-quality",
    type=int,
    default=None,
    help="of the last step; 0: no JPEG; as trained unless given (labelled pictures: 0)",
  )
  add_batches(parser, of=a_batch_of)


def add_batches(parser: argparse.ArgumentParser, *, of: str) -> None:
  parser.add_argument("--batch-size", type=at_least(1), default=64, help=f"{of} a batch")
  parser.add_argument("--workers", type=at_least(0), default=None, help="decoding processes; 0: threads")


def judging_options(arguments: argparse.Namespace) -> dict[str, Any]:
  """What every judging function takes of the arguments of `add_judging`; not all judge a split."""
  return {name: getattr(arguments, name) for name in ("jpeg_quality", "batch_size", "workers")}
