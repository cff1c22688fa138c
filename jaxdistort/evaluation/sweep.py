"""Severity sweeps of checkpoints from end to end."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jaxdistort.training.checkpoints import TrainedModel, load_trained
from jaxdistort.cli.console import progress_bar, stoppable
from jaxdistort.data import BrokenPictures, default_workers, open_pictures
from jaxdistort.errors import InputError
from jaxdistort.reporting.charts import FORMATS
from jaxdistort.evaluation.checks import check_counts, jpeg_quality_of, split_to_judge
from jaxdistort.reporting.comparing import short_names
from jaxdistort.reporting.sweep_charts import draw_sweeps
from jaxdistort.evaluation.sweep_reports import report_sweep
from jaxdistort.evaluation.sweeping import Sweep, SweepOutcome, run_sweeps
from jaxdistort.files import write_json
from jaxdistort.runtime.mesh import create_mesh, replicated


def sweep_checkpoints(
  checkpoints: Sequence[str | Path],
  data: str,
  sweeps: Sequence[Sweep],
  *,
  output: Path,
  split: str = "auto",
  jpeg_quality: int | None = None,
  batch_size: int = 64,
  workers: int | None = None,
  weights: str | None = None,
) -> dict[str, Any]:
  """Judges trained networks on clean pictures at every level of distortions.

  Networks of one image size and one JPEG step share the decoding and the distorting; others take their turn.

  Args:
    checkpoints: runs' folders (their best checkpoints) or single checkpoints.
    data: see `parse_sources`.
    sweeps: from `parse_sweep`.
    output: folder for sweep.json, sweep.png, sweep.svg and, if pictures cannot be read, broken_pictures.jsonl.
    split: all, train, validation or test; auto is all, but test if any of the sources served a training.
    jpeg_quality: 1..100 of the last step, 0 for no JPEG; as in each network's training if None.
    batch_size: pictures a batch, about.
    workers: decoding processes, 0 for threads; one fewer than processors if None.
    weights: of the base of a transfer network, where they are not where the training found them.

  Returns:
    data, split, networks (name, checkpoint, step, model, protocol, image_size, jpeg_quality), broken, and sweeps: see
    `report_sweep`, with the SSIM and PSNR of the first network's pictures, and image_size, their side.

  Raises:
    InputError: a path, name or value that cannot be used.
  """
  check_counts(batch_size, workers)
  mesh = create_mesh()
  networks = [load_trained(checkpoint, replicated(mesh), weights) for checkpoint in checkpoints]
  short = short_names([network.path for network in networks])
  names = [short[str(network.path)] for network in networks]
  if len(short) < len(networks):
    raise InputError(f"checkpoint {', '.join(map(str, checkpoints))}: the same one is given more than once")
  forms = [(network.config.data.image_size, jpeg_quality_of(network, jpeg_quality)) for network in networks]
  split = split_to_judge(split, data, networks)
  pictures = open_pictures(data, split)
  output.mkdir(parents=True, exist_ok=True)
  (output / "broken_pictures.jsonl").unlink(missing_ok=True)
  broken = BrokenPictures(output / "broken_pictures.jsonl", forms[0][0])
  distinct = list(dict.fromkeys(forms))
  found: dict[int, list[SweepOutcome]] = {}
  with stoppable(progress_bar(len(distinct) * len(pictures), unit="picture", title="sweeping", leave=False)) as advance:
    for form in distinct:
      members = [i for i, own in enumerate(forms) if own == form]
      outcomes = run_sweeps(
        sweeps,
        [networks[i] for i in members],
        pictures,
        mesh,
        jpeg_quality=form[1],
        batch_size=batch_size,
        workers=default_workers() if workers is None else workers,
        on_broken=broken.add,
        on_progress=advance,
      )
      for place, i in enumerate(members):
        found[i] = [outcome._replace(answers=[outcome.answers[place]]) for outcome in outcomes]
  class_names = [network.config.create_protocol().class_names for network in networks]
  report = {
    "data": data,
    "split": split,
    "broken": len(broken),
    "networks": [_describe(name, network, form) for name, network, form in zip(names, networks, forms, strict=True)],
    "sweeps": [
      report_sweep(
        found[0][k]._replace(answers=[found[i][k].answers[0] for i in range(len(networks))]),
        list(zip(names, class_names, strict=True)),
      )
      | {"image_size": forms[0][0]}
      for k in range(len(sweeps))
    ],
  }
  for suffix in FORMATS:
    (output / f"sweep.{suffix}").unlink(missing_ok=True)  # of an earlier sweep
  write_json(output / "sweep.json", report)  # first: whatever becomes of the figure, hours of work are kept
  draw_sweeps(report["sweeps"], output / "sweep")
  return report


def _describe(name: str, network: TrainedModel, form: tuple[int, int]) -> dict[str, Any]:
  return {
    "name": name,
    "checkpoint": str(network.path),
    "step": network.step,
    "model": network.config.model.name,
    "protocol": network.config.protocol.name,
    "image_size": form[0],
    "jpeg_quality": form[1],
  }
