"""Distorted pictures as JPEG or PNG files, a folder for the kinds of distortion of every split."""

import re
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from jaxdistort.data import SPLITS, PictureSet
from jaxdistort.files import named
from jaxdistort.generation.stream import DistortedBatch
from jaxdistort.protocols import Protocol

CLEAN = "clean"
_LONGEST = 80  # characters of an original's name that the names of its pictures keep


class PictureFiles:
  """Writes pictures to ROOT/SPLIT/KIND/NUMBER_NAME_SLOT.jpg, and gives the rows of their table.

  The columns of a row: file, split; label (0 for clean, else 1 + the kind's place among the protocol's), only where
  a picture has at most one kind; kinds, which on a picture of several are joined by ";" (by "+" in the folder's name),
  or "clean"; severity of each, 0..1, joined alike; every parameter of every kind, empty where the kind is absent;
  original, t (the picture's number in the stream), seed.

  Args:
    root: the folder.
    protocol: names kinds and parameters.
    pictures: the originals.
    splits: int8 [N], place of each original's split in `SPLITS`.
    quality: of the JPEGs, 1..100; 0: PNG.
    seed: of the distortions.
  """

  def __init__(
    self, root: Path, protocol: Protocol, pictures: PictureSet, splits: np.ndarray, *, quality: int, seed: int
  ):
    self.root, self.protocol, self.quality, self._seed = root, protocol, quality, seed
    self._splits, self._pictures = splits, pictures
    self._digits = len(str(len(pictures) - 1))
    self.levels = [str(spec) for spec in protocol.level_specs]
    label = ["label"] if self.labelled else []
    self.head = ["file", "split", *label, "kinds", "severity", *self.levels, "original", "t", "seed"]
    self.counts = {s: int(np.sum(splits == i)) * protocol.period for i, s in enumerate(SPLITS) if np.any(splits == i)}

  @property
  def labelled(self) -> bool:
    """Whether a picture has one label: at most one kind of distortion."""
    return len(self.protocol.stages) == 1

  @property
  def class_names(self) -> tuple[str, ...]:
    """What labels stand for."""
    return (CLEAN, *self.protocol.kinds)

  def write(self, batch: DistortedBatch, pool: Executor) -> list[list[Any]]:
    """Writes the pictures of a batch and returns their rows, in the order of `head`."""
    period, rows, images = self.protocol.period, [], []
    for place in np.flatnonzero(~batch.broken).tolist():
      for slot in range(period):
        rows.append(list(self._row(batch, place, slot)))
        images.append(batch.samples.images[place * period + slot])
    paths = [self.root / row[0] for row in rows]
    for folder in {path.parent for path in paths}:
      folder.mkdir(parents=True, exist_ok=True)
    list(pool.map(self._save, images, paths))
    return rows

  def _row(self, batch: DistortedBatch, place: int, slot: int) -> Iterator[Any]:
    number, position = int(batch.numbers[place]), place * self.protocol.period + slot
    original = self._pictures.short_name(number)
    present = np.flatnonzero(batch.samples.presence[position]).tolist()
    kinds = [self.protocol.kinds[kind] for kind in present] or [CLEAN]
    split = SPLITS[self._splits[number]]
    readable = re.sub(r"[^A-Za-z0-9.-]+", "_", str(Path(original).with_suffix("")))[-_LONGEST:]
    suffix = "jpg" if self.quality else "png"
    yield f"{split}/{'+'.join(kinds)}/{number:0{self._digits}}_{readable}_{slot}.{suffix}"
    yield split
    if self.labelled:
      yield present[0] + 1 if present else 0
    yield ";".join(kinds)
    yield ";".join(str(batch.samples.severity[position, kind]) for kind in present)
    yield from ("" if np.isnan(level) else str(level) for level in batch.samples.levels[position])
    yield from (original, number * self.protocol.period + slot, self._seed)

  def _save(self, image: np.ndarray, path: Path) -> None:
    with named(path):
      if self.quality:
        Image.fromarray(image).save(path, "JPEG", quality=self.quality, subsampling=2)  # what distortions.jpeg does
      else:
        Image.fromarray(image).save(path, "PNG")
