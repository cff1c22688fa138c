"""A linear probe of a network's features from end to end, beside what the network itself says of the same pictures."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxdistort.data import PictureSet, Seen, default_workers, open_pictures
from jaxdistort.distortions import DISTORTIONS
from jaxdistort.errors import InputError, choose
from jaxdistort.evaluation.evaluate import CountedBroken, check_counts, pictures_to_judge, promised_too_much, quality_of
from jaxdistort.evaluation.features import Features, Rows
from jaxdistort.evaluation.judging import OnBroken
from jaxdistort.evaluation.linear_probe import LinearProbe, check_fitting, fit_linear_probe
from jaxdistort.evaluation.report import Origin, origin_of
from jaxdistort.inference import Recogniser
from jaxdistort.metrics.figures import RecognitionFigures
from jaxdistort.metrics.multilabel import Columns, recognition_figures
from jaxdistort.metrics.predictions import Predictions
from jaxdistort.progress import SILENT, Progress
from jaxdistort.protocols import PROTOCOLS, Protocol
from jaxdistort.runtime.mesh import create_mesh
from jaxdistort.tasks import VISIBLE, LabelSpace, Recognition

_SPLITS = ("auto", "validation", "test")
_THRESHOLD = 0.5  # probability from which the probe finds a kind
_LEAST = 1e-12  # probability of whose logarithm there is a use


@dataclasses.dataclass(frozen=True)
class ProbeReport:
  """What a probe found.

  Attributes:
    origin: the network, and the pictures that were judged.
    probe: as it was fitted.
    fitted_on: distorted pictures of the training split that the probe was fitted on.
    hidden: share of the pictures to fit on, and of those to judge, that were left out because a kind on them cannot
      be seen.
    figures: "probe" and, where it can be asked, "network"; of the probe's kinds and the same pictures.
    remarks: what else should be known, a line each.
  """

  origin: Origin
  probe: LinearProbe
  fitted_on: int
  hidden: Mapping[str, float]
  figures: Mapping[str, RecognitionFigures]
  remarks: tuple[str, ...]

  def to_dict(self) -> dict[str, Any]:
    """Ready for JSON: the fields of `Origin`, probe, figures and remarks."""
    probe = {
      "kinds": self.probe.kinds,
      "features": len(self.probe.means),
      "fitted_on": self.fitted_on,
      "hidden": dict(self.hidden),
    }
    figures = {name: own.to_dict() for name, own in self.figures.items()}
    return dataclasses.asdict(self.origin) | {"probe": probe, "figures": figures, "remarks": self.remarks}


def probe_network(
  recogniser: Recogniser,
  data: str,
  *,
  protocol: str | None = None,
  split: str = "auto",
  count: int = 5000,
  jpeg_quality: int | None = None,
  batch_size: int = 64,
  workers: int | None = None,
  on_broken: OnBroken = lambda pictures, broken, remarked: None,
  progress: Progress = SILENT,
) -> ProbeReport:
  """Fits a probe on distorted pictures of the training split, and judges it on others.

  A kind is present where its visibility is at least 0.5. Pictures with one that is less visible are left out, both of
  the fit and of all figures: they can be held neither for nor against anybody.

  Args:
    recogniser: any network with a last map, whose weights lie whole on every device of `create_mesh()`.
    data: see `parse_sources`.
    protocol: by name, of any kinds; the one of the training if None.
    split: validation, test, or auto: see `pictures_to_judge`; without what the probe may be fitted on.
    count: distorted pictures to fit on; each shows another original, until all were shown.
    jpeg_quality: 1..100, 0 for no JPEG; as in the training if None.
    batch_size: distorted pictures a batch, about.
    workers: decoding processes, 0 for threads; one fewer than processors if None.
    on_broken: gets the numbers of pictures that could not be read, and of those with remarks.
    progress: counts pictures.

  Raises:
    InputError: a path, name or value that cannot be used, or pictures that no probe can be fitted on or judged on.
    KeyboardInterrupt: `progress` asked to stop.
  """
  check_counts(batch_size, workers)
  check_fitting()
  if count < 1:
    raise InputError(f"pictures to fit a probe on must be at least 1, got {count}")
  quality = quality_of(recogniser, jpeg_quality)
  distorting = PROTOCOLS.find(protocol or recogniser.description.protocol["name"])(quality or None)
  broken = CountedBroken(on_broken)
  unasked = _why_not_asked(recogniser, distorting)
  features = Features(
    recogniser,
    distorting,
    create_mesh(),
    batch_size=batch_size,
    workers=default_workers() if workers is None else workers,
    on_broken=broken,
    scores=not unasked,
  )
  training = open_pictures(data, "train", progress)
  split, pictures = _others(data, split, recogniser, training, progress)

  fitted = features.drawn(training, count, progress)
  shown = ~_hides_something(fitted)
  told = _told_kinds(fitted.presence[shown], distorting)
  kinds = [kind for kind, own in zip(distorting.kinds, told, strict=True) if own]
  progress.check()
  probe, _, unfinished = fit_linear_probe(fitted.features[shown], fitted.presence[shown][:, told], kinds)

  judged = features.of_all(pictures, probe.probabilities, progress)
  seen = int(np.sum(recogniser.seen.holds(pictures.names_of_originals())))
  origin = origin_of(
    recogniser,
    data=data,
    jpeg_quality=quality,
    split=split,
    fingerprint=pictures.fingerprint(),
    seen=seen,
    protocol=distorting.name,
    broken=len(broken.names),
    problems=(promised_too_much(seen),) if seen and split != "validation" else (),
  )
  remarks = [f"the network's own figures are missing: {unasked}"] if unasked else []
  remarks += [
    f"{kind}: not on some of the pictures to fit on and off others; left out, with all pictures that show it"
    for kind in distorting.kinds
    if kind not in kinds
  ]
  remarks += [f"{kind}: its regression has not converged" for kind in unfinished]
  return ProbeReport(
    origin,
    probe,
    int(shown.sum()),
    {"fit": float(1 - shown.mean()), "judged": float(_hides_something(judged).mean())},
    _figures(recogniser, pictures, judged, kinds, told),
    tuple(remarks),
  )


def _why_not_asked(recogniser: Recogniser, protocol: Protocol) -> str:
  """Why the network itself cannot say which kinds of the protocol a picture has; "" where it can."""
  if not isinstance(recogniser.task, Recognition):
    return f"its task is {recogniser.task.name}, not recognition"
  unknown = [kind for kind in protocol.kinds if kind not in recogniser.task.labels.kinds]
  return f"it does not know {', '.join(unknown)}" if unknown else ""


def _others(
  data: str, split: str, recogniser: Recogniser, training: PictureSet, progress: Progress
) -> tuple[str, PictureSet]:
  """Pictures to judge that neither the network nor the probe knows, and what they are."""
  choose("split", split, _SPLITS)
  name, pictures = pictures_to_judge(data, split, [recogniser], progress)
  others = pictures.without(Seen.of([training]))
  if not len(others):
    raise InputError(
      f"data source {data}: all {len(pictures)} {name} pictures serve the fit of the probe; give others, or the split "
      "validation or test"
    )
  return name if len(others) == len(pictures) else "unseen", others


def _hides_something(rows: Rows) -> np.ndarray:
  """bool [N]: whether a kind is on a picture that cannot be seen."""
  return np.any(rows.presence & (rows.visibility < VISIBLE), axis=1)


def _told_kinds(presence: np.ndarray, protocol: Protocol) -> np.ndarray:
  """bool [K]: kinds of presence bool [N, K] that some pictures have and others have not."""
  told = np.logical_and(presence.any(0), ~presence.all(0))
  if not told.any():
    raise InputError(
      f"protocol {protocol.name}: of {len(presence)} pictures to fit on none shows a kind that another lacks; "
      "give more pictures"
    )
  return told


def _figures(
  recogniser: Recogniser, pictures: PictureSet, rows: Rows, kinds: list[str], told: np.ndarray
) -> dict[str, RecognitionFigures]:
  kept = ~_hides_something(rows) & ~rows.presence[:, ~told].any(1)
  if not kept.any():
    raise InputError(
      f"data source {pictures.spec}: none of {len(kept)} distorted pictures can be judged: each has a kind that "
      "cannot be seen or is unknown to the probe; give more pictures"
    )
  probabilities = {"probe": rows.features[kept]}
  if rows.scores.size:
    task = recogniser.task
    own = task.probabilities(rows.scores[kept].astype(np.float64))
    probabilities["network"] = own[:, task.labels.places(kinds, "the probe")]
  presence, numbers = rows.presence[kept][:, told], rows.numbers[kept]
  originals = pictures.originals()[numbers]
  return {name: _figures_of(own, presence, numbers, originals, kinds) for name, own in probabilities.items()}


def _figures_of(
  probabilities: np.ndarray, presence: np.ndarray, numbers: np.ndarray, originals: np.ndarray, kinds: list[str]
) -> RecognitionFigures:
  """Of presence alone: severities are not probed."""
  unknown, single = np.full(presence.shape, np.nan), np.full(len(presence), np.nan)
  within = np.clip(probabilities, _LEAST, 1 - _LEAST)
  losses = -np.mean(np.where(presence, np.log(within), np.log1p(-within)), axis=1)
  levels = np.empty((len(presence), 0), np.float32)
  predictions = Predictions(numbers, originals, (presence, unknown), probabilities, levels, (), (), single, single)
  labels = LabelSpace(tuple(kinds), tuple(DISTORTIONS[kind].group for kind in kinds))
  columns = presence, np.ones_like(presence), probabilities, probabilities >= _THRESHOLD
  by_kind = Columns(labels.kinds, *columns)
  by_group = Columns(labels.group_names, *map(labels.of_groups, columns))
  return recognition_figures(
    predictions, by_kind, by_group, groups_of_kinds=labels.groups, severities=unknown, losses=losses
  )
