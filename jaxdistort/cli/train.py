"""Trains a network as a config says; the same command resumes a run that was stopped.

jaxdistort train --config configs/vgg_scratch.py
jaxdistort train --config configs/vgg_scratch.py --config.data.source=folder:photos --workdir runs/photos

Several processes share a run, of which each is started by itself (Slurm, Open MPI, Kubernetes: --coordinator=auto):
jaxdistort train --config configs/vgg_scratch.py --coordinator=HOST:PORT --processes=2 --process=0
"""

import argparse
import dataclasses
import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import flags
from ml_collections import config_flags

from jaxdistort.cli.arguments import ArgumentParser, at_least, output_folder
from jaxdistort.cli.config_file import load_config
from jaxdistort.cli.terminal import TerminalProgress
from jaxdistort.errors import InputError, choose

_STOPPING = "stopping after this step, with a checkpoint; once more to stop at once"


def main(arguments: Sequence[str]) -> int:
  if {"-h", "-help", "--help"} & set(arguments):
    print(f"{__doc__}\n{define_flags([]).get_help()}")
    return 0
  given = parse_flags(join_processes(list(arguments)))
  from jaxdistort.runtime.processes import is_first  # after the flags: a typo is reported at once
  from jaxdistort.training import train

  name = Path(given["config"].config_filename).stem  # ty: ignore
  workdir = _workdir(given.workdir or str(Path("runs") / name))
  progress = TerminalProgress(_STOPPING, shown=is_first())
  with progress.signals():
    return 130 if train(given.config, workdir, progress=progress) is None else 0


def _workdir(text: str) -> Path:
  try:
    return output_folder(text)
  except argparse.ArgumentTypeError as error:
    raise InputError(f"--workdir: {error}") from error


def join_processes(arguments: list[str]) -> list[str]:
  """Joins the other processes of the run, if there are any; returns the rest of the command line.

  Apart from the other flags, because a config may ask JAX for its devices, which must not happen before.
  """
  parser = ArgumentParser(add_help=False, allow_abbrev=False)
  parser.add_argument("--coordinator")
  parser.add_argument("--processes", type=at_least(1))
  parser.add_argument("--process", type=at_least(0))
  given, rest = parser.parse_known_args(arguments)
  if given.coordinator is None:
    if given.processes is not None or given.process is not None:
      raise InputError("--processes and --process need --coordinator, the HOST:PORT of the first process")
    return rest
  from jaxdistort.cli.supervision import supervise
  from jaxdistort.runtime.processes import join

  with supervise(given.coordinator):
    join(given.coordinator, given.processes, given.process)
  return rest


def define_flags(arguments: list[str]) -> flags.FlagValues:
  """The flags, before they are parsed; which overrides of the config there are is seen in the arguments."""
  given = flags.FlagValues()
  text = "A file of configs/; single values: --config.batch_size=64."
  config_flags.DEFINE_config_file("config", None, text, flag_values=given, sys_argv=["train", *arguments])
  text = "Folder of the run; runs/ and the name of the config unless given."
  flags.DEFINE_string("workdir", None, text, flag_values=given)
  return given


def parse_flags(arguments: list[str]) -> flags.FlagValues:
  """Parses the command line; raises InputError with the word at fault."""
  check_config(arguments)
  given = define_flags(arguments)
  try:
    rest = given(["train", *arguments])
  except flags.UnrecognizedFlagError as error:
    near = difflib.get_close_matches(error.flagname, list(given), 1)
    raise InputError(f"unknown flag --{error.flagname}" + (f"; did you mean --{near[0]}?" if near else "")) from error
  except flags.Error as error:
    raise InputError(" ".join(str(error).split())) from error
  if rest[1:]:
    raise InputError(f"{rest[1]!r} is not a flag; see --help")
  return given


def check_config(arguments: list[str]) -> None:
  """Looks at --config and its overrides ahead of the flag parser, whose errors name Python's types, not the flags."""
  matches = [re.fullmatch(r"--?(config(?:\.[^=]*)?)(?:=(.*))?", argument) for argument in arguments]
  files = [m[2] or "".join(arguments[i + 1 : i + 2]) for i, m in enumerate(matches) if m and m[1] == "config"]
  if not files:
    configs = ", ".join(sorted(str(path) for path in Path("configs").glob("*.py")))
    raise InputError(f"--config is missing: give one of {configs or 'the files of configs/'}")
  config = load_config(files[0])
  from jaxdistort.config import TrainConfig  # which most config files have imported

  if not isinstance(config, TrainConfig):
    raise InputError(f"--config {files[0]}: get_config() gives a {type(config).__name__}, expected a TrainConfig")
  for flag in (m[1] for m in matches if m):
    section: Any = config
    for name in flag.split(".")[1:]:
      fields = [field.name for field in dataclasses.fields(section)] if dataclasses.is_dataclass(section) else []
      choose(f"--{flag}", name, fields)
      section = getattr(section, name)
    if flag != "config" and dataclasses.is_dataclass(section):
      names = ", ".join(field.name for field in dataclasses.fields(section))
      raise InputError(f"--{flag} is a group of fields: give one of its {names}")
