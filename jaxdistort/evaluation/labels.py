"""What the labels of pictures mean to a network: a kind of its, or only a group of its kinds."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxdistort.data.labelled import LabelledPicture, LabelledSet
from jaxdistort.distortions import DISTORTIONS, GROUPS
from jaxdistort.errors import InputError, choose
from jaxdistort.metrics.labelled import Names, Truths
from jaxdistort.tasks import LabelSpace

_OTHER_NAMES = {"overexposed": "overexposure", "underexposed": "underexposure"}
_OF_NO_GROUP = ("partial_defocus",)  # of a part of the picture, which no network here is asked for


class Meaning(NamedTuple):
  """What a label means to a network: a group of its, and the kind, or None where it tells only the group."""

  group: str
  kind: str | None


def meaning_of(name: str, labels: LabelSpace, what: str) -> Meaning | None:
  """What a name means to a network; None where the network has no name for it.

  Args:
    name: a kind or a group of the network, or any of `DISTORTIONS` or of its groups.
    labels: of the network.
    what: names the place, for messages.

  Raises:
    InputError: it is none of these.
  """
  own = _OTHER_NAMES.get(name, name)
  if own in labels.kinds:
    return Meaning(labels.groups[labels.kinds.index(own)], own)
  known = own in DISTORTIONS
  group = DISTORTIONS[own].group if known else own
  if group in labels.groups:
    return Meaning(group, None)
  if not known and own not in _OF_NO_GROUP:
    choose(what, name, (*labels.kinds, *dict.fromkeys((*labels.group_names, *GROUPS))))
  return None


def known_rows(pictures: LabelledSet, labels: LabelSpace) -> LabelledSet:
  """The pictures all of whose labels are beyond doubt and mean something to a network; the others are problems.

  Raises:
    InputError: a label is no name at all, or no picture is left.
  """
  left_out: Counter[str] = Counter()
  kept = []
  for row in pictures.rows:
    reason = _why_not(row, labels)
    left_out.update([reason] if reason else [])
    kept += [] if reason else [row]
  problems = tuple(f"{count} pictures are left out: {reason}" for reason, count in left_out.items())
  if not kept:
    raise InputError(f"{pictures.name}: no picture has labels that count; {'; '.join(problems)}")
  return pictures.of_rows(tuple(kept), problems)


def _why_not(row: LabelledPicture, labels: LabelSpace) -> str:
  if row.doubtful:
    return f"{row.doubtful[0]} is in doubt"
  for label in row.labels:
    if meaning_of(label.name, labels, f"{row.source}: kinds") is None:
      return f"the network knows neither {label.name} nor a group of it"
  return ""


def meanings_of(rows: Sequence[LabelledPicture], labels: LabelSpace) -> dict[str, Meaning]:
  """Every label of these rows, all of which mean something to the network."""
  names = dict.fromkeys(label.name for row in rows for label in row.labels)
  found = {name: meaning_of(name, labels, "labels") for name in names}
  return {name: meaning for name, meaning in found.items() if meaning}


def truths_of(rows: Sequence[LabelledPicture], labels: LabelSpace) -> tuple[Truths, Names]:
  """The truth of N pictures in the columns of a network, and what those are called."""
  meanings = meanings_of(rows, labels)
  shown = {name: meaning.kind or name for name, meaning in meanings.items()}
  order = [*labels.kinds, *shown.values()]
  groups = {shown[name]: meaning.group for name, meaning in meanings.items()}
  ordered = tuple(sorted(groups, key=lambda name: (labels.group_names.index(groups[name]), order.index(name))))
  place = labels.group_names.index
  group_of_kind, group_of_label = (
    np.array([place(group) for group in each], np.int64) for each in (labels.groups, [groups[n] for n in ordered])
  )
  names = Names(labels.kinds, labels.group_names, ordered, group_of_kind, group_of_label)
  n, k = len(rows), len(labels.kinds)
  truths = Truths(
    np.array([row.scene for row in rows]),
    np.zeros((n, len(ordered)), bool),
    np.zeros((n, len(labels.group_names)), bool),
    np.zeros((n, k), bool),
    np.ones((n, k), bool),
    np.full((n, k), np.nan),
  )
  for i, row in enumerate(rows):
    for label in row.labels:
      group, kind = meanings[label.name]
      truths.labels[i, ordered.index(shown[label.name])] = True
      truths.groups[i, place(group)] = True
      if kind is None:
        truths.told[i] &= group_of_kind != place(group)
      else:
        truths.kinds[i, labels.kinds.index(kind)] = True
        truths.severities[i, labels.kinds.index(kind)] = label.severity
  return truths, names
