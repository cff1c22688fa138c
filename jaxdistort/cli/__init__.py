"""The command line: the only place that parses flags, prints, and handles signals."""

import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

from jaxdistort.cli import console

COMMANDS = {
  "predict": "say what is wrong with pictures",
  "scan": "say what is wrong with all pictures below a folder, in a table",
  "serve": "the same over HTTP, with a page to look at",
  "human-report": "set people's answers to a human test beside the recogniser's",
  "distort": "distort pictures",
  "kinds": "list the kinds of distortion, their parameters and tables",
  "train": "train a network as a config says, or go on with a run",
  "evaluate": "judge a network on distorted pictures, or on a database",
  "sweep": "judge networks at every level of a distortion",
  "compare": "set evaluated runs side by side",
  "probe": "fit a linear probe on a network's features, beside the network itself",
  "calibrate": "make a recogniser's probabilities keep their word, as a model file",
  "explain": "show where in a picture an answer comes from",
  "export": "a recogniser as ONNX or StableHLO, for programs without this package",
  "convert": "weights from elsewhere, or a run, as one file",
  "prepare": "prepare clean pictures, or make a distorted data set",
}


def main(arguments: Sequence[str] | None = None) -> NoReturn:
  """The `jaxdistort` command.

  Args:
    arguments: of the command line, without the program's name; `sys.argv`'s if None.
  """
  console.run(lambda: dispatch(sys.argv[1:] if arguments is None else arguments))


def dispatch(arguments: Sequence[str]) -> int | None:
  """Runs the command that the first argument names on the others; nothing of another command is imported."""
  from jaxdistort.errors import InputError, choose

  if not arguments or arguments[0] in ("-h", "--help", "help"):
    print(_help())
    return 0
  if arguments[0] == "--version":
    from jaxdistort import __version__

    print(f"jaxdistort {__version__}")
    return 0
  name, *rest = arguments
  if name.startswith("-"):
    raise InputError(f"{name} is not known before a command; see --help")
  module = importlib.import_module(f"jaxdistort.cli.{choose('command', name, COMMANDS).replace('-', '_')}")
  try:
    return module.main(rest)
  except Exception as error:
    error.__dict__.setdefault("exit_status", getattr(module, "STATUS_OF_ERRORS", 1))
    raise


def _help() -> str:
  lines = [f"  {name:<13}{what}" for name, what in COMMANDS.items()]
  return "\n".join([
    "usage: jaxdistort COMMAND [...]",
    "",
    "Names the distortions that spoil a picture: which kinds, and how strong.",
    "",
    *lines,
    "",
    "jaxdistort COMMAND --help tells the rest.",
  ])  # fmt: skip
