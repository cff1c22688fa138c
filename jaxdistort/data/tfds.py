"""Pictures of a TensorFlow Datasets set that is prepared as array_record files; TensorFlow is not needed."""

import functools
import os
from pathlib import Path
from typing import Any

import numpy as np

from jaxdistort.data.pictures import BrokenPicture, read_picture, standardise
from jaxdistort.data.source import Source, register_source
from jaxdistort.errors import InputError, MissingExtra


class TensorFlowDataset(Source):
  """The `image` feature of a prepared set, `NAME[/CONFIG][:SPLIT]`; the split is `train` unless given.

  Raises:
    InputError: tensorflow-datasets is missing, or the set is not prepared in this form on this machine.
  """

  def __init__(self, name: str):
    self._spec = name
    name, _, split = name.partition(":")
    try:
      import tensorflow_datasets as tfds
    except ImportError as error:
      raise MissingExtra("tensorflow-datasets", "tfds", "data source tfds") from error
    # Looking for the files first: building an unprepared set asks the network for minutes when there is none.
    root = Path(os.path.expanduser(os.environ.get("TFDS_DATA_DIR", tfds.core.constants.DATA_DIR)))
    prepared = sorted(path.parent for path in (root / name).rglob("dataset_info.json"))
    if not prepared:
      raise InputError(
        f"data source tfds:{self._spec}: {root / name} holds no prepared set; prepare it with "
        f"tfds.builder({name!r}, file_format='array_record').download_and_prepare(), or set TFDS_DATA_DIR"
      )
    self._directory, self._split = str(prepared[-1]), split or "train"
    builder = tfds.builder_from_directory(self._directory)
    if self._split not in builder.info.splits:
      raise InputError(
        f"data source tfds:{self._spec}: no split {self._split!r}; it has {', '.join(builder.info.splits)}"
      )
    if "image" not in (builder.info.features or {}):
      raise InputError(f"data source tfds:{self._spec}: its records have no feature named 'image'")
    self._length = builder.info.splits[self._split].num_examples
    try:
      self._record(0)
    except NotImplementedError as error:
      raise InputError(f"data source tfds:{self._spec}: {self._directory} is not in array_record format") from error

  def __len__(self) -> int:
    return self._length

  def __repr__(self) -> str:
    return f"tfds:{self._directory}:{self._split}"

  def file(self, index: int) -> str:
    return os.path.join(self._directory, "dataset_info.json")  # written whenever the set is

  def name(self, index: int) -> str:
    return f"{self!r}#{index}"

  def original(self, index: int) -> str:
    return f"{self._split}#{index}"

  def load(self, index: int, size: int) -> np.ndarray:
    content = self._record(index)["image"]
    if not isinstance(content, bytes):
      raise BrokenPicture(f"record {index} holds no encoded picture")
    return standardise(read_picture(content), size)

  def _record(self, index: int) -> dict[str, Any]:
    return _records(self._directory, self._split)[index]


register_source("tfds", TensorFlowDataset, "a prepared set of TensorFlow Datasets: NAME[/CONFIG][:SPLIT]", "NAME")


@functools.cache  # one set of open files a process
def _records(directory: str, split: str) -> Any:
  import tensorflow_datasets as tfds

  decoders = {"image": tfds.decode.SkipDecoding()}
  return tfds.builder_from_directory(directory).as_data_source(split=split, decoders=decoders)  # ty: ignore
