"""What is reported of a database: figures by view, and a row for every prediction."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from jaxdistort.data.databases import REFERENCE, Database
from jaxdistort.errors import InputError
from jaxdistort.metrics.breakdowns import accuracy_in_bins, mean_level_by_answer
from jaxdistort.evaluation.databases import Verdicts
from jaxdistort.evaluation.predicting import Predictions
from jaxdistort.reporting.files import format_number
from jaxdistort.evaluation.reports import make_report


def database_labels(database: Database, numbers: np.ndarray, class_names: tuple[str, ...]) -> np.ndarray:
  """Our labels int32 [N] of a database's pictures; -1 for types that the network has no class for."""
  names = [database.labels.get(database.pictures[number].type) for number in numbers]
  return np.array([class_names.index(name) if name in class_names else -1 for name in names], np.int32)


def report_database(
  database: Database, verdicts: Verdicts, view: str, class_names: tuple[str, ...]
) -> tuple[dict[str, Any], Predictions]:
  """The figures of one view, ready for JSON, and the predictions that count in its accuracy.

  Args:
    database: that was judged.
    verdicts: on it.
    view: one of its views.
    class_names: of the network.

  Returns:
    What `make_report` gives, of the types that the network has a class for, accuracy_by_level and mean_level by type;
    and accuracy_by_score (where people's judgements are known), without_unchanged (where the database has levels that
    change nothing), and unlabelled: the answers to types without a class.

  Raises:
    InputError: none of the pictures is of a class that the network knows.
  """
  pictures = [database.pictures[number] for number in verdicts.numbers]
  labels = database_labels(database, verdicts.numbers, class_names)
  everything = verdicts.log_probabilities[view]
  originals = np.array([picture.original for picture in pictures])
  types = np.array([picture.type for picture in pictures])
  levels = np.array([picture.level for picture in pictures])
  answers = np.argmax(everything, axis=1)
  right = answers == labels
  counts = labels >= 0
  if not counts.any():
    raise InputError(f"{database.root}: no readable picture of {database.name} is of a class that the network knows")
  predictions = Predictions(
    verdicts.numbers[counts],
    np.unique(originals, return_inverse=True)[1][counts],
    labels[counts],
    everything[counts].astype(np.float32),
    {},
    verdicts.ssim[counts],
    verdicts.psnr[counts],
  )
  report = make_report(predictions, class_names)
  scores = np.array([picture.score for picture in pictures])
  report["accuracy_by_score"] = accuracy_in_bins(scores[counts], right[counts], originals[counts])
  report["accuracy_by_level"], report["mean_level"], report["unlabelled"] = {}, {}, {}
  for kind in dict.fromkeys(types):
    members = types == kind
    if not counts[members].all():
      shares = np.bincount(answers[members], minlength=len(class_names)) / members.sum()
      report["unlabelled"][kind] = {
        "pictures": int(members.sum()),
        "answers": dict(zip(class_names, shares.tolist(), strict=True)),
      }
    elif kind != REFERENCE and np.isfinite(levels[members]).all():
      bins = accuracy_in_bins(levels[members], right[members], originals[members])
      report["accuracy_by_level"][kind] = {"unit": database.level_units[kind], "bins": bins}
      report["mean_level"][kind] = {"unit": database.level_units[kind]} | mean_level_by_answer(
        levels[members], answers[members], class_names
      )
  if database.unchanged:
    changed = np.array([(picture.type, picture.level) not in database.unchanged for picture in pictures]) & counts
    if changed.any():
      report["without_unchanged"] = {"accuracy": float(right[changed].mean()), "pictures": int(changed.sum())}
  return report, predictions


def predictions_rows(database: Database, verdicts: Verdicts, class_names: tuple[str, ...]) -> Iterator[list[Any]]:
  """Rows of a CSV: a head, then every picture in every view, with the probability of every class."""
  head = ["view", "picture", "reference", "type", "level", "score", "ssim", "psnr", "label", "predicted"]
  yield [*head, *(f"p_{name}" for name in class_names)]
  labels = database_labels(database, verdicts.numbers, class_names)
  for view, log_probabilities in verdicts.log_probabilities.items():
    for number, label, row, ssim, psnr in zip(
      verdicts.numbers, labels, log_probabilities, verdicts.ssim, verdicts.psnr, strict=True
    ):
      picture = database.pictures[number]
      where = picture.path.relative_to(database.root).as_posix()
      truth = class_names[label] if label >= 0 else ""
      numbers = [format_number(value) for value in (picture.level, picture.score, ssim, psnr)]
      answer = class_names[int(np.argmax(row))]
      probabilities = [f"{p:.6f}" for p in np.exp(row)]
      yield [view, where, picture.original, picture.type, *numbers, truth, answer, *probabilities]
