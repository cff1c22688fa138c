"""A scan on a Ray cluster: one recogniser a worker; what a lost worker had not finished is done by another."""

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

import ray
import ray.data

from jaxdistort.scanning.judging import Judgement, JudgePictures

_BLOCK = 64  # pictures that are lost with a worker, at most


def judge_on_ray(
  folder: str, names: Sequence[str], *, checkpoint: str | None, address: str | None, workers: int | None
) -> Iterator[Judgement]:
  """Judgements on files in their order, as blocks of them are done.

  Args:
    folder: path or URL, which every node can read.
    names: of the files, relative to it.
    checkpoint: which every node can read; None: the weights of the package.
    address: of the cluster; None: the one that RAY_ADDRESS names, or one on this machine for as long as this lasts.
    workers: processes with a recogniser; one for every processor of the cluster if None.
  """
  began = not ray.is_initialized()
  if began:
    ray.init(address=address, log_to_driver=False, logging_level="warning")
  try:
    count = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
    yield from _judged(folder, names, checkpoint, count)
  finally:
    if began:
      ray.shutdown()


def _judged(folder: str, names: Sequence[str], checkpoint: str | None, workers: int) -> Iterator[Judgement]:
  context = ray.data.DataContext.get_current()
  context.execution_options.preserve_order = True
  context.enable_progress_bars = False
  rows: list[dict[str, Any]] = [{"path": os.fsencode(name)} for name in names]
  judged = ray.data.from_items(rows, override_num_blocks=-(-len(rows) // _BLOCK)).map_batches(
    JudgePictures,
    fn_constructor_args=(folder, checkpoint),
    batch_size=_BLOCK,
    concurrency=min(workers, -(-len(rows) // _BLOCK)),
    num_cpus=1,
    max_restarts=-1,
    max_task_retries=-1,
  )
  for row in judged.iter_rows():
    yield Judgement(os.fsdecode(row["path"]), row["error"], json.loads(row["answer"]))
