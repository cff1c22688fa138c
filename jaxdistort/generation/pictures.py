"""Distorted pictures as JPEG or PNG files, a folder for every class of every split."""

import re
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from jaxdistort.data import SPLITS, PictureSet
from jaxdistort.generation.stream import DistortedBatch
from jaxdistort.protocols import Protocol

_LONGEST = 80  # characters of an original's name that the names of its pictures keep


class PictureFiles:
  """Writes pictures to ROOT/SPLIT/CLASS/NUMBER_NAME_SLOT.jpg, and gives the rows of their table.

  Args:
    root: the folder.
    protocol: names classes and parameters.
    pictures: the originals.
    splits: int8 [N], place of each original's split in `SPLITS`.
    quality: of the JPEGs, 1..100; 0: PNG.
    seed: of the distortions.
  """

  def __init__(
    self, root: Path, protocol: Protocol, pictures: PictureSet, splits: np.ndarray, *, quality: int, seed: int
  ):
    self.root, self.protocol, self.quality, self._seed = root, protocol, quality, seed
    self._splits, self._sources = splits, [source for source, _ in pictures.sources]
    self._members = np.concatenate(pictures.members)
    self._owners = np.repeat(np.arange(len(self._sources)), [len(members) for members in pictures.members])
    self._digits = len(str(len(pictures) - 1))
    self.parameters = [f"{c.name}.{n}" for c in protocol.classes for n in c.laws]
    self.head = ["file", "split", "label", "class", *self.parameters, "original", "t", "seed"]
    self.counts = {s: int(np.sum(splits == i)) * protocol.period for i, s in enumerate(SPLITS) if np.any(splits == i)}

  def make_folders(self) -> None:
    for split in self.counts:
      for name in self.protocol.class_names:
        (self.root / split / name).mkdir(parents=True, exist_ok=True)

  def write(self, batch: DistortedBatch, pool: Executor) -> list[list[Any]]:
    """Writes the pictures of a batch and returns their rows, in the order of `head`."""
    period, rows, images = self.protocol.period, [], []
    for place in np.flatnonzero(~batch.broken).tolist():
      for slot in range(period):
        rows.append(self._row(batch, place, slot))
        images.append(batch.samples.images[place * period + slot])
    list(pool.map(self._save, images, [self.root / row[0] for row in rows]))
    return rows

  def _row(self, batch: DistortedBatch, place: int, slot: int) -> list[Any]:
    number, position = int(batch.numbers[place]), place * self.protocol.period + slot
    original = self._sources[self._owners[number]].original(int(self._members[number]))
    label = int(batch.samples.labels[position])
    split, name = SPLITS[self._splits[number]], self.protocol.class_names[label]
    readable = re.sub(r"[^A-Za-z0-9.-]+", "_", str(Path(original).with_suffix("")))[-_LONGEST:]
    suffix = "jpg" if self.quality else "png"
    file = f"{split}/{name}/{number:0{self._digits}}_{readable}_{slot}.{suffix}"
    levels = [batch.samples.parameters[p][position] for p in self.parameters]
    shown = ["" if np.isnan(level) else str(level) for level in levels]
    return [file, split, label, name, *shown, original, number * self.protocol.period + slot, self._seed]

  def _save(self, image: np.ndarray, path: Path) -> None:
    if self.quality:
      Image.fromarray(image).save(path, "JPEG", quality=self.quality, subsampling=2)  # what distortions.jpeg does
    else:
      Image.fromarray(image).save(path, "PNG")
