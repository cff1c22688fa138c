"""Watches the steps of a run: progress, metrics, and the check that the loss is finite."""

import math
import time
from collections import deque
from collections.abc import Callable
from typing import NoReturn

import jax
import numpy as np

from jaxdistort.errors import TrainingDiverged
from jaxdistort.progress import Bar
from jaxdistort.training.records import Metrics
from jaxdistort.training.step import StepMetrics

_RUN_AHEAD = 2  # dispatches under way on the device before the host waits for the oldest; a stop must wait for them too
_RATE_STEPS = 20  # over which the rate is taken


class Monitor:
  """Takes the metrics of every step while they are still being computed, and reads them when they are there.

  Args:
    bar: one unit a step.
    metrics: gets the means over every `log_every` steps.
    batch_size: pictures a step.
    log_every: steps a row of `metrics`.
    last_good: names the last checkpoint, for the message when training diverges.
  """

  def __init__(self, bar: Bar, metrics: Metrics, *, batch_size: int, log_every: int, last_good: Callable[[], str]):
    self._bar, self._metrics, self._last_good = bar, metrics, last_good
    self._log_every = log_every
    self._rate = Rate(batch_size)
    self._pending: deque[tuple[int, int, StepMetrics]] = deque()
    self._window: list[dict[str, float]] = []

  def add(self, first: int, count: int, metrics: StepMetrics) -> None:
    """Takes the metrics, float32 [`count` or more] or [] for one, of the updates that led to steps `first` on."""
    self._pending.append((first, count, metrics))
    while self._pending and (len(self._pending) > _RUN_AHEAD or _is_ready(self._pending[0][2])):
      self._read_oldest()

  def drain(self) -> None:
    """Waits for all steps so far (a sync point); what follows until the next step is not counted as training.

    Raises:
      TrainingDiverged: the loss, the gradient or the parameters of one of them are not finite.
    """
    while self._pending:
      self._read_oldest()
    self._rate.pause()

  def report_divergence(self, step: int, what: str) -> NoReturn:
    """Raises TrainingDiverged with the step and the last good checkpoint."""
    raise TrainingDiverged(
      f"step {step}: {what}; {self._last_good()}; "
      "a lower optimizer.learning_rate, more optimizer.warmup_steps or an optimizer.clip_norm may help"
    )

  def _read_oldest(self) -> None:
    first, count, metrics = self._pending.popleft()
    columns = {name: np.atleast_1d(column) for name, column in jax.device_get(metrics)._asdict().items()}
    self._rate.add(count)
    for turn in range(count):
      self._read(first + turn, {name: float(column[turn]) for name, column in columns.items()})

  def _read(self, step: int, values: dict[str, float]) -> None:
    broken = [f"{name} is {value}" for name, value in values.items() if not math.isfinite(value)]
    if broken:
      self.report_divergence(step, ", ".join(broken))
    self._window.append(values)
    mean = {name: sum(row[name] for row in self._window) / len(self._window) for name in values}
    rate = self._rate.pictures_per_second
    speed = f", {rate:.3g} pictures/s" if rate else ""
    self._bar.note(f"loss {mean['loss']:.4f}, accuracy {mean['accuracy']:.3f}{speed}")
    self._bar.advance()
    if step % self._log_every == 0:
      self._metrics.write(step, mean | ({"pictures_per_second": rate} if rate else {}))
      self._window.clear()


class Rate:
  """Pictures a second over the last steps that were trained one after the other.

  The first arrival after a start or a pause only starts the clock: it has compilation or a validation before it.

  Args:
    pictures: a step.
  """

  def __init__(self, pictures: int):
    self._pictures = pictures
    self._last: float | None = None
    self._intervals: deque[tuple[int, float]] = deque()  # steps, seconds

  def add(self, count: int) -> None:
    """`count` steps are done, now."""
    now = time.perf_counter()
    if self._last is not None:
      self._intervals.append((count, now - self._last))
      while sum(steps for steps, _ in self._intervals) - self._intervals[0][0] >= _RATE_STEPS:
        self._intervals.popleft()
    self._last = now

  def pause(self) -> None:
    """Something else than training follows."""
    self._last = None

  @property
  def pictures_per_second(self) -> float | None:
    """None before there is anything to tell it by."""
    seconds = sum(seconds for _, seconds in self._intervals)
    return self._pictures * sum(steps for steps, _ in self._intervals) / seconds if seconds else None


def _is_ready(metrics: StepMetrics) -> bool:
  """Whether reading would not wait."""
  return metrics.loss.is_ready()  # ty: ignore  # a method of every concrete array that its type does not show
