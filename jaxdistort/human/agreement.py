"""How far people agree, beyond what chance makes them agree."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

Value = TypeVar("Value", bound=Hashable)


def krippendorff_alpha(units: Iterable[Sequence[Value]], difference: Callable[[Value, Value], float]) -> float | None:
  """Krippendorff's alpha: 1 - observed / expected disagreement; 1 is agreement, 0 what chance gives.

  With o the matrix of coincidences, in which a unit of m values counts each of its ordered pairs 1 / (m - 1) times, n_c
  its sums and n their sum:

    alpha = 1 - (n - 1) sum_ck o_ck d(c, k) / sum_ck n_c n_k d(c, k)

  Units of one value count for nothing, and anybody may have left out any unit.

  Args:
    units: the values that each unit was given.
    difference: d of two values, 0 for the same ones: `nominal`, `interval`.

  Returns:
    At most 1; None where it is not defined: no unit has two values, or all values are the same.

  Source: K. Krippendorff, Content Analysis: An Introduction to Its Methodology (Sage, 2004), chapter 11; the same,
  Computing Krippendorff's Alpha-Reliability (2011).
  """
  observed = 0.0
  totals: Counter[Value] = Counter()
  for unit in units:
    if len(unit) < 2:
      continue
    counts = Counter(unit)
    totals += counts
    observed += _disagreement(counts, difference) / (len(unit) - 1)
  expected = _disagreement(totals, difference)
  return None if expected == 0 else 1 - (totals.total() - 1) * observed / expected


def _disagreement(counts: Counter[Value], difference: Callable[[Value, Value], float]) -> float:
  """The sum of the differences of all ordered pairs."""
  return sum(m * n * difference(a, b) for a, m in counts.items() for b, n in counts.items())


def nominal(first: object, second: object) -> float:
  """The difference of names."""
  return float(first != second)


def interval(first: float, second: float) -> float:
  """The difference of numbers on a scale whose steps are alike."""
  return float(first - second) ** 2
