"""What a network said of pictures, beside the truth: what all figures are made of."""

import dataclasses
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Predictions:
  """One row per picture that was judged.

  Attributes:
    numbers: int64 [N], of the clean picture within a `PictureSet`, or of the picture within a `Database`.
    originals: int64 [N], the same for pictures that show the same original.
    targets: the truth: arrays [N, ...] in the form of the task.
    scores: float32 [N, W], the task's.
    levels: float32 [N, L], NaN where they are not known.
    level_names: of the columns of `levels`: "kind.parameter".
    level_units: of the same.
    ssim: float [N], against the clean picture; NaN where it is not known.
    psnr: float [N], dB; likewise.
  """

  numbers: np.ndarray
  originals: np.ndarray
  targets: Any
  scores: np.ndarray
  levels: np.ndarray
  level_names: tuple[str, ...]
  level_units: tuple[str, ...]
  ssim: np.ndarray
  psnr: np.ndarray

  def __len__(self) -> int:
    return len(self.numbers)
