"""From the logits of a network to probabilities that keep their word, and thresholds that keep a false-alarm rate."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

_LEAST_EXAMPLES = 10  # of a column, present and absent: with fewer it stays as it is
_HALVINGS = 40  # of the interval in which the price of a false alarm is sought
_FOLDS = 5  # of the clean pictures
_SHARES = 1, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4  # of a rate, to choose for so that it is kept on others
_PRICES = 1e-3, 1e5  # of all clean pictures' alarms, in pictures found of all that have a kind
_TAIL = 0.03  # share of clean pictures by which it is told how fast they get rarer
_FEWEST = 20  # pictures by which that can be told
_LEAST_SCALE = 1e-3  # of log odds
_RAREST = 1e-3  # alarms of a column, in those of all
_CANDIDATES = 70  # thresholds of a column
_NEAR = 1e-7  # 0 and 1, which have no log odds
_PRIOR = 1.0  # pictures' worth of belief in the network's own probability, which keeps slopes finite


def sigmoid(logits: np.ndarray) -> np.ndarray:
  """1 / (1 + exp(-x)), float, dtype kept."""
  with np.errstate(over="ignore"):  # 1 / inf is right
    return 1 / (1 + np.exp(-logits))


def log_odds(probabilities: np.ndarray) -> np.ndarray:
  """log(p / (1 - p)), float64; finite, also of 0 and 1."""
  inside = np.clip(probabilities.astype(np.float64), _NEAR, 1 - _NEAR)
  return np.log(inside / (1 - inside))


@dataclasses.dataclass(frozen=True)
class Calibration:
  """Of the logits of K kinds and G groups: probabilities are sigmoid(slope logit + offset) (Platt 1999).

  Attributes:
    slopes: [K + G], above 0.
    offsets: of the logits, [K + G].
    thresholds: probability times severity from which a kind raises an alarm: something of its group is found; [K].
    doubts: the same, from which that can no longer be ruled out; at most the threshold; [K].
    naming: probability from which a kind is named, once its group is found; [K].
  """

  slopes: tuple[float, ...]
  offsets: tuple[float, ...]
  thresholds: tuple[float, ...]
  doubts: tuple[float, ...]
  naming: tuple[float, ...]

  @classmethod
  def none(cls, kinds: int, groups: int) -> "Calibration":
    """Logits as they are; an alarm is raised by what is likelier than not and of middle severity."""
    alarms, columns = (0.25,) * kinds, kinds + groups
    return cls((1.0,) * columns, (0.0,) * columns, alarms, alarms, (0.5,) * kinds)

  def probabilities(self, logits: np.ndarray) -> np.ndarray:
    """float [N, K + G] of logits [N, K + G]."""
    return sigmoid(np.array(self.slopes, np.float32) * logits + np.array(self.offsets, np.float32))

  def with_thresholds(self, thresholds: np.ndarray, doubts: np.ndarray, naming: np.ndarray) -> "Calibration":
    """The same probabilities, other thresholds, [K] each."""
    limits = thresholds, np.minimum(doubts, thresholds), naming
    names = "thresholds", "doubts", "naming"
    return dataclasses.replace(self, **{n: tuple(own.tolist()) for n, own in zip(names, limits, strict=True)})

  def to_dict(self) -> dict[str, Any]:
    return {name: list(values) for name, values in dataclasses.asdict(self).items()}

  @classmethod
  def from_dict(cls, values: Mapping[str, Any]) -> "Calibration":
    return cls(**{field.name: tuple(values[field.name]) for field in dataclasses.fields(cls)})


def fit_calibration(logits: np.ndarray, presence: np.ndarray, weights: np.ndarray, kinds: int) -> Calibration:
  """The slope and offset of each column under which the truth is most likely.

  Args:
    logits: float [N, K + G].
    presence: bool [N, K + G].
    weights: float [N, K + G], of each picture for each column, such as its visibility.
    kinds: K.
  """
  fitted = [_fit(*column) for column in zip(logits.T, presence.T, weights.T, strict=True)]
  slopes, offsets = zip(*fitted, strict=True)
  return dataclasses.replace(Calibration.none(kinds, logits.shape[1] - kinds), slopes=slopes, offsets=offsets)


def _fit(logits: np.ndarray, presence: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
  from scipy.optimize import minimize  # a second of imports, which answers do without

  used = weights > 0
  x, truth, weight = (column[used].astype(np.float64) for column in (logits, presence, weights))
  if min(truth.sum(), (1 - truth).sum()) < _LEAST_EXAMPLES:
    return 1.0, 0.0

  def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
    slope, offset = np.exp(parameters[0]), parameters[1]
    z = slope * x + offset
    total = np.sum(weight * (np.logaddexp(0, z) - truth * z)) + _PRIOR * np.sum(parameters**2) / 2
    error = weight * (sigmoid(z) - truth)
    return total, np.array([np.sum(error * x) * slope, np.sum(error)]) + _PRIOR * parameters

  found = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B").x
  return float(np.exp(found[0])), float(found[1])


def thresholds_for(
  clean: np.ndarray, owners: np.ndarray, rate: float, present: Sequence[np.ndarray], weights: np.ndarray
) -> np.ndarray:
  """Thresholds [C] at which a share of clean pictures raises an alarm, in any column at all, and most is found.

  The rate holds on pictures that the thresholds were not chosen on, as far as folds of these can tell: what is chosen
  for the rate itself fits the highest of its pictures, and raises up to twice as many alarms on others.

  Args:
    clean: strengths float [N, C] of clean pictures; thresholds are 0 where there are none.
    owners: int [N], the same for several looks at one picture.
    rate: 0..1, of false alarms.
    present: of each column, the strengths of pictures that have it.
    weights: float [C], how much it counts that a column finds what it is for.
  """
  if not len(clean):
    return np.zeros(clean.shape[1])
  folds = [owners % _FOLDS == fold for fold in range(min(_FOLDS, len(clean)))]
  for share in _SHARES:
    alarms = [np.any(clean[own] >= _cheapest(clean[~own], share * rate, present, weights), axis=1) for own in folds]
    if np.mean(np.concatenate(alarms)) <= rate:
      break
  return _cheapest(clean, share * rate, present, weights)


def _cheapest(clean: np.ndarray, rate: float, present: Sequence[np.ndarray], weights: np.ndarray) -> np.ndarray:
  """Thresholds [C] that raise alarms on at most a share of these very pictures.

  Alarms go to the columns where they find most: each takes the threshold with the greatest weighted share found less a
  price for every alarm, the price being the same for all and as low as the rate allows.
  """
  if not len(clean):
    return np.zeros(clean.shape[1])
  rates = np.geomspace(rate, rate * _RAREST, _CANDIDATES)
  limits = _limits(clean, rates)
  found = np.stack([_shares_above(*column) for column in zip(limits.T, present, strict=True)], axis=1) * weights

  def at(price: float) -> np.ndarray:
    best = np.argmax(found - price * rates[:, None], axis=0)
    return np.take_along_axis(limits, best[None], axis=0)[0]

  low, high = _PRICES
  for _ in range(_HALVINGS):
    price = np.sqrt(low * high)
    low, high = (price, high) if _alarms(clean, at(price)) > rate else (low, price)
  return _with_rest(clean, rate, at(high), limits, found)


def _with_rest(
  clean: np.ndarray, rate: float, thresholds: np.ndarray, limits: np.ndarray, found: np.ndarray
) -> np.ndarray:
  """Thresholds with what they leave of the rate given to the column where it finds most.

  Thresholds jump with the price: what is left may be much.
  """
  raised = clean >= thresholds
  most, lowered = 0.0, thresholds
  for column in range(len(thresholds)):
    others = np.delete(raised, column, axis=1).any(axis=1)
    more = int(rate * len(clean)) - others.sum()  # alarms that the column may raise beside theirs
    if more < 0:
      continue
    own = -np.sort(-clean[~others, column])
    fits = limits[:, column] > own[more] if more < len(own) else np.ones(len(limits), bool)
    best = int(np.argmax(np.where(fits, found[:, column], -1)))
    now = found[np.argmin(np.abs(limits[:, column] - thresholds[column])), column]
    if found[best, column] - now > most:
      most, lowered = found[best, column] - now, thresholds.copy()
      lowered[column] = limits[best, column]
  return lowered


def _alarms(clean: np.ndarray, thresholds: np.ndarray) -> float:
  return float(np.any(clean >= thresholds, axis=1).mean())


def _limits(clean: np.ndarray, rates: np.ndarray) -> np.ndarray:
  """Thresholds [R, C] that a share of clean pictures reaches in each column, were its tail smooth.

  What lies beyond a high quantile falls off exponentially, in log odds (peaks over a threshold: Pickands 1975). The
  highest few pictures themselves would be those of this sample alone.
  """
  odds = log_odds(clean)
  tail = min(0.5, max(_TAIL, rates.max(), _FEWEST / len(clean)))
  start = np.quantile(odds, 1 - tail, axis=0)
  beyond = np.ma.masked_less_equal(odds, start) - start
  scale = np.maximum(beyond.mean(axis=0).filled(0), _LEAST_SCALE)
  return sigmoid(start - scale * np.log(rates[:, None] / tail))


def _shares_above(limits: np.ndarray, strengths: np.ndarray) -> np.ndarray:
  """The share of strengths from each limit on; 0 of none."""
  if not len(strengths):
    return np.zeros(len(limits))
  return 1 - np.searchsorted(np.sort(strengths), limits) / len(strengths)


def best_f1_thresholds(probabilities: np.ndarray, presence: np.ndarray, weights: np.ndarray) -> np.ndarray:
  """Thresholds [C] of the highest F1, .5 where a column is never present.

  Args:
    probabilities: float [N, C].
    presence: bool [N, C].
    weights: float [N, C], 0 for pictures that do not count.
  """
  found = np.full(probabilities.shape[1], 0.5)
  for column, (own, truth, weight) in enumerate(zip(probabilities.T, presence.T, weights.T, strict=True)):
    if (truth & (weight > 0)).any():
      order = np.argsort(-own, kind="stable")
      hits, named = np.cumsum((weight * truth)[order]), np.cumsum(weight[order])
      f1 = 2 * hits / (named + hits[-1])
      found[column] = own[order][np.argmax(f1)]
  return found
