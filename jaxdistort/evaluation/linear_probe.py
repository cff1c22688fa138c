"""Linear probes: what a logistic regression a kind finds in the features of a network that stays as it is.

They are no part of a network: the layer of the transfers (`models.probe`) is trained inside one.
"""

import dataclasses
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
from scipy.special import expit

from jaxdistort.errors import InputError, MissingExtra
from jaxdistort.files import parse_json
from jaxdistort.models.weights.file import write_tensors

_FORMAT = "jaxdistort linear probe"
_MOST_STEPS = 1000


@dataclasses.dataclass(frozen=True, eq=False)
class LinearProbe:
  """A logistic regression a kind, on the same standardised features.

  Attributes:
    kinds: K names.
    means: float64 [C], of the features.
    scales: float64 [C], their standard deviations; 1 where they do not vary.
    coefficients: float64 [K, C], of the standardised features.
    intercepts: float64 [K].
  """

  kinds: tuple[str, ...]
  means: np.ndarray
  scales: np.ndarray
  coefficients: np.ndarray
  intercepts: np.ndarray

  def probabilities(self, features: np.ndarray) -> np.ndarray:
    """The probability of each kind, float64 [N, K], by features float [N, C]."""
    standardised = (features.astype(np.float64) - self.means) / self.scales
    return expit(standardised @ self.coefficients.T + self.intercepts)

  def save(self, path: Path) -> None:
    """Writes safetensors, whole or not at all, with the names of the kinds in the header."""
    arrays = {name: value for name, value in vars(self).items() if name != "kinds"}
    write_tensors(path, arrays, {"format": _FORMAT, "kinds": json.dumps(self.kinds)})


class Fit(NamedTuple):
  """A fitted probe.

  Attributes:
    probe: all that is kept.
    classifier: scikit-learn's `MultiOutputClassifier`, on standardised features.
    unfinished: kinds of which the regression had not converged in the end.
  """

  probe: LinearProbe
  classifier: Any
  unfinished: tuple[str, ...]


def check_fitting() -> None:
  """Raises MissingExtra where probes cannot be fitted."""
  try:
    import sklearn.linear_model  # noqa: F401
  except ModuleNotFoundError as error:
    raise MissingExtra("scikit-learn", "train", "a linear probe") from error


def fit_linear_probe(features: np.ndarray, presence: np.ndarray, kinds: Sequence[str]) -> Fit:
  """Fits a probe on the host: scikit-learn's `MultiOutputClassifier` over its `LogisticRegression` as it stands.

  Args:
    features: float [N, C], finite.
    presence: bool [N, K]; every kind is on some pictures and not on others.
    kinds: K names.
  """
  from sklearn.exceptions import ConvergenceWarning
  from sklearn.linear_model import LogisticRegression
  from sklearn.multioutput import MultiOutputClassifier
  from sklearn.preprocessing import StandardScaler

  scaler = StandardScaler()
  standardised = scaler.fit_transform(features.astype(np.float64))
  classifier = MultiOutputClassifier(LogisticRegression(max_iter=_MOST_STEPS))
  with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)  # told by kind
    classifier.fit(standardised, presence)
  regressions: Any = classifier.estimators_
  probe = LinearProbe(
    tuple(kinds),
    np.asarray(scaler.mean_),
    np.asarray(scaler.scale_),
    np.concatenate([own.coef_ for own in regressions]),
    np.concatenate([own.intercept_ for own in regressions]),
  )
  steps = [int(own.n_iter_.max()) for own in regressions]
  unfinished = tuple(kind for kind, own in zip(kinds, steps, strict=True) if own >= _MOST_STEPS)
  return Fit(probe, classifier, unfinished)


def read_linear_probe(path: Path) -> LinearProbe:
  """Reads what `LinearProbe.save` wrote.

  Raises:
    InputError: it is not such a file, or is damaged.
  """
  names = [field.name for field in dataclasses.fields(LinearProbe)][1:]
  try:
    path.open("rb").close()  # whose errors say what they are
    with safe_open(path, "numpy") as file:
      header = file.metadata() or {}
      if header.get("format") != _FORMAT:
        raise InputError(f"probe {path}: a safetensors file, but not one of a linear probe; give one of a probe")
      return LinearProbe(tuple(parse_json(header["kinds"])), *(file.get_tensor(name) for name in names))
  except (SafetensorError, KeyError, TypeError) as error:
    raise InputError(f"probe {path}: not a whole file of a linear probe ({error}); fit it again") from error
