"""Figures of labelled pictures by hand: of groups, of kinds, by subset."""

import numpy as np
import pytest

from jaxdistort.metrics.labelled import Found, Names, Truths, labelled_figures

_NAMES = Names(("a", "b", "c"), ("ab", "c"), ("a", "some_ab", "c"), np.array([0, 0, 1]), np.array([0, 0, 1]))
_UNKNOWN = np.nan


def _bools(*rows):
  return np.array(rows, bool)


def _judged():
  """Six pictures: a; a and c; only some of ab; c; clean; clean."""
  truths = Truths(
    scenes=np.array(["1", "1", "2", "3", "4", "5"]),
    labels=_bools([1, 0, 0], [1, 0, 1], [0, 1, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]),
    groups=_bools([1, 0], [1, 1], [1, 0], [0, 1], [0, 0], [0, 0]),
    kinds=_bools([1, 0, 0], [1, 0, 1], [0, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]),
    told=_bools([1, 1, 1], [1, 1, 1], [0, 0, 1], [1, 1, 1], [1, 1, 1], [1, 1, 1]),
    severities=np.array([[0.5, _UNKNOWN, _UNKNOWN], [0.75, _UNKNOWN, _UNKNOWN], *[[_UNKNOWN] * 3] * 4]),
  )
  found = Found(
    clean=np.array([0, 0, 0, 1, 1, 0], bool),
    groups=_bools([1, 0], [0, 1], [1, 0], [0, 0], [0, 0], [1, 0]),
    kinds=_bools([1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 0, 0], [0, 0, 0], [1, 0, 0]),
    surest=np.array([[0, 2], [0, 2], [1, 2], [1, 2], [0, 2], [0, 2]]),
    severities=np.array([[0.25, 0, 0], [0.5, 0, 0], *[[0.0, 0, 0]] * 4]),
  )
  return truths, found


def _shares(*shares):
  return [share and (pytest.approx(share.value), share.pictures) for share in shares]


def test_figures_by_hand():
  figures = labelled_figures(*_judged(), _NAMES, np.array(["", "x", "x", "x", "y", "y"]))
  whole = figures.whole
  assert (whole.pictures, whole.scenes, figures.pictures) == (6, 5, 6)
  assert _shares(whole.accuracy, whole.clean) == [(3 / 6, 6), (1 / 2, 2)]
  assert figures.accuracy == 0.5
  assert _shares(whole.groups["ab"].found, whole.groups["ab"].false_alarms) == [(2 / 3, 3), (1 / 3, 3)]
  assert _shares(whole.groups["c"].found, whole.groups["c"].false_alarms) == [(1 / 2, 2), (0, 4)]
  a = whole.kinds["a"]
  assert _shares(a.recall, a.precision) == [(1 / 2, 2), (1 / 2, 2)]
  assert (a.f1, a.severity_error, a.severity_rank_correlation) == (0.5, 0.25, pytest.approx(1))
  assert list(whole.kinds) == ["a", "c"]  # b is found once only, on a picture of which nobody knows
  assert whole.kinds["c"].severity_error is None
  assert whole.confusion == {"a": {"a": 1, "nothing": 1}, "some_ab": {"b": 1}, "c": {"c": 1, "nothing": 1}}

  assert list(figures.subsets) == ["x", "y"]
  assert _shares(figures.subsets["x"].clean, figures.subsets["x"].groups["ab"].found) == [None, (1 / 2, 2)]
  assert figures.subsets["y"].groups["ab"].found is None
  for share in (whole.accuracy, whole.groups["c"].found, figures.subsets["y"].clean):
    assert 0 <= share.interval[0] <= share.value <= share.interval[1] <= 1


def test_intervals_are_by_scene():
  """Forty pictures of ten scenes, all of a scene alike, tell as little as ten."""
  truths, found = (type(each)(*(np.resize(column, (40, *column.shape[1:])) for column in each)) for each in _judged())
  truths.groups[:], found.groups[:] = False, (np.arange(40) // 4 % 2 == 0)[:, None]
  alike, apart = (
    labelled_figures(truths._replace(scenes=scenes), found, _NAMES, np.array([""] * 40)).whole.accuracy.interval
    for scenes in (np.arange(40) // 4, np.arange(40))
  )
  assert alike[1] - alike[0] > 1.5 * (apart[1] - apart[0])
