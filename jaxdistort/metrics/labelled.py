"""Figures of labelled pictures, whose labels name kinds of distortions, or only groups of them."""

from typing import NamedTuple

import numpy as np

from jaxdistort.metrics.bootstrap import accuracy_intervals
from jaxdistort.metrics.classification import of_counts
from jaxdistort.metrics.figures import LabelledFigures, OfGroup, OfLabelled, OfLabelledKind, Share
from jaxdistort.metrics.multilabel import severity_agreement

NOTHING = "nothing"
"""The answer to a label of whose group nothing is found."""


class Names(NamedTuple):
  """What the columns of truths and answers are called.

  Attributes:
    kinds: K names.
    groups: G names.
    labels: R names: kinds, and whatever else labels say.
    group_of_kind: int [K], places in `groups`.
    group_of_label: int [R].
  """

  kinds: tuple[str, ...]
  groups: tuple[str, ...]
  labels: tuple[str, ...]
  group_of_kind: np.ndarray
  group_of_label: np.ndarray


class Truths(NamedTuple):
  """What N pictures are labelled with.

  Attributes:
    scenes: [N], the same for pictures that are alike.
    labels: bool [N, R].
    groups: bool [N, G]: has a label of the group.
    kinds: bool [N, K]: is labelled with the kind.
    told: bool [N, K]: the labels tell whether the picture has the kind, since none only names its group.
    severities: float [N, K] within 0..1; NaN where it is not known.
  """

  scenes: np.ndarray
  labels: np.ndarray
  groups: np.ndarray
  kinds: np.ndarray
  told: np.ndarray
  severities: np.ndarray


class Found(NamedTuple):
  """What a network finds on N pictures.

  Attributes:
    clean: bool [N]: the picture is called clean.
    groups: bool [N, G].
    kinds: bool [N, K].
    surest: int [N, G], the most probable kind of each group.
    severities: float [N, K] within 0..1; NaN where the network gives none.
  """

  clean: np.ndarray
  groups: np.ndarray
  kinds: np.ndarray
  surest: np.ndarray
  severities: np.ndarray


def labelled_figures(truths: Truths, found: Found, names: Names, subsets: np.ndarray) -> LabelledFigures:
  """The figures of all pictures and of each subset.

  Args:
    truths: of N pictures.
    found: on the same.
    names: of the columns.
    subsets: str [N]; pictures of "" are in none.
  """

  def of(rows: np.ndarray) -> OfLabelled:
    return _of_rows(Truths(*(each[rows] for each in truths)), Found(*(each[rows] for each in found)), names)

  apart = {str(name): of(subsets == name) for name in np.unique(subsets) if name}
  return LabelledFigures(of(np.ones(len(subsets), bool)), apart)


def wrong_groups(truths: Truths, found: Found) -> np.ndarray:
  """Which groups are missed or found without being there, bool [N, G]."""
  return truths.groups != found.groups


def _of_rows(truths: Truths, found: Found, names: Names) -> OfLabelled:
  scenes, clean = truths.scenes, np.all(~truths.groups, axis=1, keepdims=True)[:, 0]
  right = np.all(truths.groups == found.groups, axis=1, keepdims=True)[:, 0]
  accuracy = _share(right, np.ones(len(right), bool), scenes)
  assert accuracy is not None  # no subset is empty
  return OfLabelled(
    pictures=len(scenes),
    scenes=len(np.unique(scenes)),
    accuracy=accuracy,
    clean=_share(found.clean, clean, scenes),
    groups={
      name: OfGroup(_share(given, has, scenes), _share(given, ~has, scenes))
      for name, has, given in zip(names.groups, truths.groups.T, found.groups.T, strict=True)
    },
    kinds={
      name: _of_kind(truths, found, k)
      for k, name in enumerate(names.kinds)
      if (truths.told[:, k] & (truths.kinds[:, k] | found.kinds[:, k])).any()
    },
    confusion=_confusion(truths, found, names),
  )


def _share(hits: np.ndarray, counted: np.ndarray, scenes: np.ndarray) -> Share | None:
  """The share of hits among the pictures that count, all [N]; None where there are none."""
  if not counted.any():
    return None
  own = hits[counted]
  return Share(float(own.mean()), len(own), accuracy_intervals(scenes[counted], own[:, None])[0])


def _of_kind(truths: Truths, found: Found, k: int) -> OfLabelledKind:
  told = truths.told[:, k]
  has, given, scenes = truths.kinds[told, k], found.kinds[told, k], truths.scenes[told]
  error, correlation = severity_agreement(truths.severities[told, k][has], found.severities[told, k][has])
  f1 = of_counts(int(np.sum(has & given)), int(has.sum()), int(given.sum())).f1
  return OfLabelledKind(_share(given, has, scenes), _share(has, given, scenes), f1, error, correlation)


def _confusion(truths: Truths, found: Found, names: Names) -> dict[str, dict[str, int]]:
  of_group = names.group_of_kind[:, None] == np.arange(len(names.groups))[None]  # [K, G]
  any_found = found.groups | (found.kinds[:, :, None] & of_group[None]).any(axis=1)
  answers = np.where(any_found, found.surest, len(names.kinds))  # [N, G], the last answer is NOTHING
  counts = {}
  for r, label in enumerate(names.labels):
    own = np.bincount(answers[truths.labels[:, r], names.group_of_label[r]], minlength=len(names.kinds) + 1)
    if own.any():
      counts[label] = {name: int(n) for name, n in zip((*names.kinds, NOTHING), own, strict=True) if n}
  return counts
