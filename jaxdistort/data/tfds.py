"""Pictures of a TensorFlow Datasets set that is prepared as array_record files; TensorFlow is not needed."""

import functools
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from jaxdistort.data.pictures import BrokenPicture, read_picture, standardise
from jaxdistort.data.source import Source, register_source
from jaxdistort.errors import InputError, MissingExtra, reason_of

# The names of TensorFlow Datasets, with a split behind them: a version has dots, which no split's name may have.
_SPEC = re.compile(
  r"(?P<name>[a-zA-Z]\w*)(/(?P<config>[\w+.-]+))?(:(?P<version>[^:\[/]*[.*][^:\[/]*))?(:(?P<split>[^:/]+))?"
)


class TensorFlowDataset(Source):
  """The `image` feature of a prepared set, `NAME[/CONFIG][:VERSION][:SPLIT]`.

  VERSION may have a * for a part, as in 1.*.*; the newest is taken unless given. CONFIG may be left out where there is
  but one. SPLIT is `train` unless given.

  Raises:
    InputError: tensorflow-datasets is missing, the set is not prepared in this form on this machine, or there are
      several of which none is named.
  """

  def __init__(self, name: str):
    self._spec = name
    parts = _SPEC.fullmatch(name)
    if not parts:
      raise self._error("expected NAME[/CONFIG][:VERSION][:SPLIT]")
    try:
      import tensorflow_datasets as tfds
    except ImportError as error:
      raise MissingExtra("tensorflow-datasets", "tfds", "data source tfds") from error
    # Looking for the files first: building an unprepared set asks the network for minutes when there is none.
    root = Path(os.path.expanduser(os.environ.get("TFDS_DATA_DIR", tfds.core.constants.DATA_DIR)))
    try:
      self._directory = str(self._find(root, parts["name"], parts["config"], parts["version"]))
    except OSError as error:
      raise self._error(f"{error.filename} cannot be listed: {reason_of(error)}") from error
    self._set, self._split = f"tfds:{os.path.relpath(self._directory, root)}", parts["split"] or "train"
    try:
      builder = tfds.builder_from_directory(self._directory)
      splits, features = builder.info.splits, builder.info.features
    except Exception as error:  # the reader of a foreign file raises anything; nothing of ours runs here
      raise self._error(f"{self._directory} cannot be read: {reason_of(error)}") from error
    if self._split not in splits:
      raise self._error(f"no split {self._split!r}; it has {', '.join(splits) or 'none'}")
    if "image" not in (features or {}):
      raise self._error("its records have no feature named 'image'")
    self._length = splits[self._split].num_examples
    try:
      self._record(0)
    except NotImplementedError as error:
      raise self._error(f"{self._directory} is not in array_record format") from error

  def _find(self, root: Path, name: str, config: str | None, version: str | None) -> Path:
    """The folder of one version of one config."""
    folder = root / name / (config or "")
    versions = _prepared(folder)
    if not config and version not in versions and not any(map(_is_version, versions)):
      configs = {path.name: found for path in _folders(folder) if (found := _prepared(path))}
      if len(configs) > 1:
        known = ", ".join(f"{name}/{each}" for each in sorted(configs))
        raise self._error(f"{folder} holds several configs; name one of {known}")
      versions = next(iter(configs.values()), versions)
    if not versions:
      whole = f"{name}/{config}" if config else name
      raise self._error(
        f"{folder} holds no prepared set; prepare it with "
        f"tfds.builder({whole!r}, file_format='array_record').download_and_prepare(), or set TFDS_DATA_DIR"
      )
    if version in versions:
      return versions[version]
    numbers = {tuple(map(int, text.split("."))): path for text, path in versions.items() if _is_version(text)}
    fitting = [own for own in numbers if _fits(own, version or "*.*.*")]
    if not fitting:
      known = ", ".join(sorted(versions))
      raise self._error(f"no version {version or 'MAJOR.MINOR.PATCH'} in {folder}; name one of {known}")
    return numbers[max(fitting)]

  def _error(self, message: str) -> InputError:
    return InputError(f"data source tfds:{self._spec}: {message}")

  def __len__(self) -> int:
    return self._length

  def __repr__(self) -> str:
    return f"tfds:{self._directory}:{self._split}"

  def file(self, index: int) -> str:
    return os.path.join(self._directory, "dataset_info.json")  # written whenever the set is

  def name(self, index: int) -> str:
    return f"{self!r}#{index}"

  def original(self, index: int) -> str:
    return f"{self._set}:{self._split}#{index}"  # wherever the set lies

  def load(self, index: int, size: int) -> np.ndarray:
    content = self._record(index)["image"]
    if not isinstance(content, bytes):
      raise BrokenPicture(f"record {index} holds no encoded picture")
    return standardise(read_picture(content), size)

  def _record(self, index: int) -> dict[str, Any]:
    return _records(self._directory, self._split)[index]


register_source(
  "tfds", TensorFlowDataset, "a prepared set of TensorFlow Datasets: NAME[/CONFIG][:VERSION][:SPLIT]", "NAME"
)


def _folders(folder: Path) -> list[Path]:
  try:
    return [path for path in folder.iterdir() if path.is_dir()]
  except (FileNotFoundError, NotADirectoryError):
    return []


def _prepared(folder: Path) -> dict[str, Path]:
  """Prepared versions, whatever their names."""
  return {path.name: path for path in _folders(folder) if (path / "dataset_info.json").is_file()}


def _is_version(text: str) -> bool:
  """Whether it is no folder of another kind: a preparation that was cut short is called incomplete.ABC_1.0.0."""
  return bool(re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", text, re.ASCII))


def _fits(version: tuple[int, ...], pattern: str) -> bool:
  parts = pattern.split(".")
  return len(parts) == 3 and all(part in ("*", str(own)) for part, own in zip(parts, version, strict=True))


@functools.cache  # one set of open files a process
def _records(directory: str, split: str) -> Any:
  import tensorflow_datasets as tfds

  decoders = {"image": tfds.decode.SkipDecoding()}
  return tfds.builder_from_directory(directory).as_data_source(split=split, decoders=decoders)  # ty: ignore
