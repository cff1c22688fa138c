"""Severity sweeps of networks from end to end."""

from collections.abc import Sequence
from typing import Any

from jaxdistort.data import default_workers
from jaxdistort.errors import InputError
from jaxdistort.evaluation.evaluate import check_counts, pictures_to_judge, quality_of
from jaxdistort.evaluation.judging import OnBroken
from jaxdistort.evaluation.names import short_names
from jaxdistort.evaluation.sweep_reports import report_sweep
from jaxdistort.evaluation.sweeping import Sweep, SweepOutcome, run_sweeps
from jaxdistort.inference import Recogniser
from jaxdistort.progress import SILENT, Progress
from jaxdistort.runtime.mesh import create_mesh


def sweep_networks(
  networks: Sequence[Recogniser],
  data: str,
  sweeps: Sequence[Sweep],
  *,
  split: str = "auto",
  jpeg_quality: int | None = None,
  batch_size: int = 64,
  workers: int | None = None,
  on_broken: OnBroken = lambda pictures, broken, remarked: None,
  progress: Progress = SILENT,
) -> dict[str, Any]:
  """Judges networks on clean pictures at every level of distortions.

  Networks of one image size and one JPEG step share the decoding and the distorting; others take their turn.

  Args:
    networks: whose weights lie whole on every device of `create_mesh()`.
    data: see `parse_sources`.
    sweeps: from `parse_sweep`.
    split: see `pictures_to_judge`.
    jpeg_quality: 1..100 of the last step, 0 for no JPEG; as in each network's training if None.
    batch_size: pictures a batch, about.
    workers: decoding processes, 0 for threads; one fewer than processors if None.
    on_broken: gets the numbers of pictures that could not be read, and of those with remarks.
    progress: counts pictures.

  Returns:
    data, split, networks (name, checkpoint, step, model, protocol, image_size, jpeg_quality), and sweeps: see
    `report_sweep`, with the SSIM and PSNR of the first network's pictures, and image_size, their side.

  Raises:
    InputError: a path, name or value that cannot be used.
    KeyboardInterrupt: `progress` asked to stop.
  """
  check_counts(batch_size, workers)
  short = short_names([network.path for network in networks])
  if len(short) < len(networks):
    raise InputError(f"networks: {', '.join(str(n.path) for n in networks)}: the same one is given more than once")
  names = [short[str(network.path)] for network in networks]
  forms = [(network.image_size, quality_of(network, jpeg_quality)) for network in networks]
  split, pictures = pictures_to_judge(data, split, networks, progress)
  found: dict[int, list[SweepOutcome]] = {}
  for form in dict.fromkeys(forms):
    members = [i for i, own in enumerate(forms) if own == form]
    outcomes = run_sweeps(
      sweeps,
      [networks[i] for i in members],
      pictures,
      create_mesh(),
      jpeg_quality=form[1],
      batch_size=batch_size,
      workers=default_workers() if workers is None else workers,
      on_broken=on_broken,
      progress=progress,
    )
    for place, i in enumerate(members):
      found[i] = [outcome._replace(answers=[outcome.answers[place]]) for outcome in outcomes]
  together = [
    found[0][k]._replace(answers=[found[i][k].answers[0] for i in range(len(networks))]) for k in range(len(sweeps))
  ]
  return {
    "data": data,
    "split": split,
    "networks": [_describe(name, network, form) for name, network, form in zip(names, networks, forms, strict=True)],
    "sweeps": [report_sweep(outcome, names) | {"image_size": forms[0][0]} for outcome in together],
  }


def _describe(name: str, network: Recogniser, form: tuple[int, int]) -> dict[str, Any]:
  return {
    "name": name,
    "checkpoint": str(network.path),
    "step": network.step,
    "model": network.description.network.name,
    "protocol": network.description.protocol["name"],
    "image_size": form[0],
    "jpeg_quality": form[1],
  }
