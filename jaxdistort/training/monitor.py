"""Watches the steps of a run: progress bar, metrics, and the check that the loss is finite."""

import math
from collections import deque
from collections.abc import Callable
from typing import NoReturn

import jax
import numpy as np
from tqdm import tqdm

from jaxdistort.errors import TrainingDiverged
from jaxdistort.runtime.processes import is_first
from jaxdistort.training.records import Metrics
from jaxdistort.training.step import StepMetrics

_RUN_AHEAD = 2  # dispatches under way on the device before the host waits for the oldest; a stop must wait for them too


class Monitor:
  """Takes the metrics of every step while they are still being computed, and reads them when they are there.

  Args:
    bar: one unit a step.
    metrics: gets the means over every `log_every` steps.
    batch_size: pictures a step.
    log_every: steps a row of `metrics`.
    last_good: names the last checkpoint, for the message when training diverges.
  """

  def __init__(self, bar: tqdm, metrics: Metrics, *, batch_size: int, log_every: int, last_good: Callable[[], str]):
    self._bar, self._metrics, self._last_good = bar, metrics, last_good
    self._batch_size, self._log_every = batch_size, log_every
    self._pending: deque[tuple[int, int, StepMetrics]] = deque()
    self._window: list[dict[str, float]] = []

  def add(self, first: int, count: int, metrics: StepMetrics) -> None:
    """Takes the metrics, float32 [`count` or more] or [] for one, of the updates that led to steps `first` on."""
    self._pending.append((first, count, metrics))
    while self._pending and (len(self._pending) > _RUN_AHEAD or _is_ready(self._pending[0][2])):
      self._read_oldest()

  def drain(self) -> None:
    """Waits for all steps so far (a sync point).

    Raises:
      TrainingDiverged: the loss, the gradient or the parameters of one of them are not finite.
    """
    while self._pending:
      self._read_oldest()

  def tell(self, text: str) -> None:
    """Prints a line above the bar, on the first process."""
    if is_first():
      self._bar.write(text)

  def tell_divergence(self, step: int, what: str) -> NoReturn:
    """Raises TrainingDiverged with the step and the last good checkpoint."""
    raise TrainingDiverged(
      f"step {step}: {what}; {self._last_good()}; "
      "a lower optimizer.learning_rate, more optimizer.warmup_steps or an optimizer.clip_norm may help"
    )

  def _read_oldest(self) -> None:
    first, count, metrics = self._pending.popleft()
    columns = {name: np.atleast_1d(column) for name, column in jax.device_get(metrics)._asdict().items()}
    for turn in range(count):
      self._read(first + turn, {name: float(column[turn]) for name, column in columns.items()})

  def _read(self, step: int, values: dict[str, float]) -> None:
    broken = [f"{name} is {value}" for name, value in values.items() if not math.isfinite(value)]
    if broken:
      self.tell_divergence(step, ", ".join(broken))
    self._window.append(values)
    mean = {name: sum(row[name] for row in self._window) / len(self._window) for name in values}
    self._bar.update(1)
    rate = self._batch_size * (
      self._bar.format_dict["rate"] or (self._bar.n - self._bar.initial) / max(self._bar.format_dict["elapsed"], 1e-9)
    )
    self._bar.set_postfix_str(
      f"loss {mean['loss']:.4f}, accuracy {mean['accuracy']:.3f}, {rate:.3g} pictures/s", refresh=False
    )
    if step % self._log_every == 0:
      self._metrics.write(step, mean | {"pictures_per_second": rate})
      self._window.clear()


def _is_ready(metrics: StepMetrics) -> bool:
  """Whether reading would not wait."""
  return metrics.loss.is_ready()  # ty: ignore  # a method of every concrete array that its type does not show
