"""A distorted set in the form of TensorFlow Datasets, written and read without TensorFlow."""

import contextlib
import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from jaxdistort.errors import MissingExtra
from jaxdistort.generation.pictures import PictureFiles
from jaxdistort.progress import Progress

_VERSION = "1.0.0"
Rows = Callable[[], Iterator[list[str]]]


def check_installed() -> None:
  """Raises MissingExtra if tensorflow-datasets is missing."""
  try:
    import tensorflow_datasets  # noqa: F401
  except ImportError as error:
    raise MissingExtra("tensorflow-datasets", "tfds", "form arrayrecord") from error


def pack(output: Path, files: PictureFiles, rows: Rows, description: dict[str, Any], progress: Progress) -> None:
  """Writes output/distorted_PROTOCOL/VERSION from picture files and the rows of their table.

  Features: image; label (clean, then the protocol's kinds), where a picture has one; severity of every kind, 0..1,
  and levels (the parameters), float32, NaN where the kind is absent; original, t (as in the manifest).

  Raises:
    OSError: the folder cannot be written.
  """
  import tensorflow_datasets as tfds

  name = f"distorted_{files.protocol.name}"
  shutil.rmtree(output / name, ignore_errors=True)  # of a process that was killed here
  builder = _builder(output, name, files, rows, description, progress)
  tfds.disable_progress_bar()  # ours say more
  try:
    with contextlib.redirect_stdout(io.StringIO()):
      builder.download_and_prepare(download_dir=files.root)  # which it makes, though there is nothing to fetch
  except RuntimeError as error:  # says in words what the system said
    raise OSError(f"{output / name} cannot be written: {str(error).split(';')[0]}") from error
  finally:
    tfds.enable_progress_bar()


def _builder(
  output: Path, name: str, files: PictureFiles, rows: Rows, description: dict[str, Any], progress: Progress
) -> Any:
  import tensorflow_datasets as tfds

  side, form = description["image_size"], "jpeg" if files.quality else "png"
  features = {
    "image": tfds.features.Image(shape=(side, side, 3), encoding_format=form),
    "original": tfds.features.Text(),
    "t": tfds.features.Scalar(np.int64),
    "severity": {kind: tfds.features.Scalar(np.float32) for kind in files.protocol.kinds},
    "levels": {level: tfds.features.Scalar(np.float32) for level in files.levels},
  }
  if files.labelled:
    features["label"] = tfds.features.ClassLabel(names=list(files.class_names))

  class Distorted(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    VERSION = tfds.core.Version(_VERSION)

    def _info(self) -> Any:
      text = f"Protocol {files.protocol.name}, seed {description['seed']}; dataset.json has the rest."
      return tfds.core.DatasetInfo(builder=self, description=text, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
      del dl_manager
      place = files.head.index("split")
      there = {row[place] for row in rows()}  # of a split none may be readable
      return {split: self._generate_examples(split) for split in files.counts if split in there}

    def _generate_examples(self, split: str) -> Iterator[tuple[str, dict[str, Any]]]:
      with progress.bar(files.counts[split], unit="picture", title=f"packing {split}") as bar:
        for row in rows():
          record = dict(zip(files.head, row, strict=True))
          if record["split"] == split:
            yield record["file"], _example(record)
            bar.advance()

  def _example(record: dict[str, str]) -> dict[str, Any]:
    severity = dict(zip(record["kinds"].split(";"), record["severity"].split(";"), strict=True))
    example = {
      "image": files.root / record["file"],
      "original": record["original"].encode("utf-8", "surrogateescape"),
      "t": int(record["t"]),
      "severity": {kind: np.float32(severity.get(kind, "nan")) for kind in files.protocol.kinds},
      "levels": {level: np.float32(record[level] or "nan") for level in files.levels},
    }
    return example | ({"label": int(record["label"])} if files.labelled else {})

  Distorted.name = name
  return Distorted(data_dir=output, file_format="array_record")
