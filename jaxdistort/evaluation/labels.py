"""What the labels of pictures mean to a network: a kind of its, or only a group of its kinds."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from jaxdistort.data.labelled import LabelledPicture, LabelledSet
from jaxdistort.distortions import DISTORTIONS, GROUPS
from jaxdistort.errors import InputError, choose
from jaxdistort.metrics.labelled import Names, Truths
from jaxdistort.tasks import LabelSpace

OTHER_NAMES = {"overexposed": "overexposure", "underexposed": "underexposure"}
"""Names in labels that are no kind's, and the kinds that they mean."""
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
  own = OTHER_NAMES.get(name, name)
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
  of = f"of {len(pictures.rows)} pictures"
  problems = tuple(f"left out: {count} {of}, since {reason}" for reason, count in left_out.items())
  if not kept:
    raise InputError(f"{pictures.name}: none of its labels counts; {'; '.join(problems)}")
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
  names, n = _names(meanings, labels), len(rows)
  truths = Truths(
    scenes=np.array([row.scene for row in rows]),
    labels=np.zeros((n, len(names.labels)), bool),
    groups=np.zeros((n, len(names.groups)), bool),
    kinds=np.zeros((n, len(names.kinds)), bool),
    told=np.ones((n, len(names.kinds)), bool),
    severities=np.full((n, len(names.kinds)), np.nan),
  )
  for i, row in enumerate(rows):
    for label in row.labels:
      group, kind = meanings[label.name]
      truths.labels[i, names.labels.index(kind or label.name)] = True
      truths.groups[i, names.groups.index(group)] = True
      if kind is None:
        truths.told[i] &= names.group_of_kind != names.groups.index(group)
      else:
        truths.kinds[i, names.kinds.index(kind)] = True
        truths.severities[i, names.kinds.index(kind)] = label.severity
  return truths, names


def _names(meanings: Mapping[str, Meaning], labels: LabelSpace) -> Names:
  """The labels in the order of the network's groups and kinds; those that only tell a group stand behind its kinds."""
  groups, order = labels.group_names, {kind: place for place, kind in enumerate(labels.kinds)}
  shown = {meaning.kind or name: groups.index(meaning.group) for name, meaning in meanings.items()}
  ordered = tuple(sorted(shown, key=lambda name: (shown[name], order.get(name, len(order)), name)))
  of_kind, of_label = [groups.index(group) for group in labels.groups], [shown[name] for name in ordered]
  return Names(labels.kinds, groups, ordered, np.array(of_kind, np.int64), np.array(of_label, np.int64))
