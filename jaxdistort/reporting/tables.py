"""A report's figures as a table for the terminal."""

from jaxdistort.metrics.figures import (
  ClassificationFigures,
  Figures,
  LabelledFigures,
  OfLabelled,
  RecognitionFigures,
  Share,
)


def format_figures(figures: Figures | LabelledFigures) -> str:
  """A row for each class or kind, and the figures of all; of labelled pictures a table for each subset."""
  if isinstance(figures, LabelledFigures):
    tables = {"all pictures": figures.whole, **figures.subsets}
    return "\n\n".join(_format_labelled(name, own) for name, own in tables.items())
  width = max(len(name) for name in (*figures.names, "class"))
  lines = []
  if isinstance(figures, ClassificationFigures):
    lines.append(f"{'class':<{width}}  precision  recall     F1  pictures")
    lines += [
      f"{name:<{width}}  {row.precision:9.3f}  {row.recall:6.3f}  {row.f1:5.3f}  {row.support:8d}"
      for name, row in figures.per_class.items()
    ]
  if isinstance(figures, RecognitionFigures):
    lines.append(f"{'kind':<{width}}  precision  recall     F1  average precision  severity error  pictures")
    lines += [
      f"{name:<{width}}  {row.precision:9.3f}  {row.recall:6.3f}  {row.f1:5.3f}  "
      f"{format_share(row.average_precision):>17}  {format_share(row.severity_error):>14}  {row.support:8d}"
      for name, row in figures.per_kind.items()
    ]
    lines += [
      f"{name + ' (group)':<{width}}  {row.precision:9.3f}  {row.recall:6.3f}  {row.f1:5.3f}  "
      f"{format_share(row.average_precision):>17}  {'':14}  {row.support:8d}"
      for name, row in figures.per_group.items()
    ]
    alarms = (
      "" if figures.false_alarms is None else f", something is found on {figures.false_alarms:.1%} of clean pictures"
    )
    lines.append(
      f"mean average precision {figures.mean_average_precision:.4f} (groups "
      f"{figures.mean_average_precision_of_groups:.4f}), macro F1 {figures.macro_f1:.4f}{alarms}"
    )
  ends = figures.intervals["accuracy"]
  within = f"within {ends[0]:.4f} to {ends[1]:.4f} (95 %)" if ends else "without an interval"
  balanced = f", balanced {figures.balanced_accuracy:.4f}" if isinstance(figures, ClassificationFigures) else ""
  lines.append(f"accuracy {within}{balanced}")
  lines.append(f"accuracy {figures.accuracy:.4f}, loss {figures.loss:.4f} on {figures.pictures} pictures")
  return "\n".join(lines)


def format_share(value: float | None) -> str:
  """A share, or a dash where there is none."""
  return "-" if value is None else f"{value:.3f}"


def _format_labelled(title: str, figures: OfLabelled) -> str:
  """What is found of each group, and of each kind that is there."""
  width = max(len(name) for name in (*figures.groups, *figures.kinds, "group"))
  lines = [f"{title}: {figures.pictures} pictures of {figures.scenes} scenes"]
  lines.append(f"{'group':<{width}}  {'found (95 %)':>31}  {'false alarms (95 %)':>31}")
  if figures.clean:
    lines.append(f"{'clean':<{width}}  {_interval(figures.clean)}")
  for name, group in figures.groups.items():
    if group.found or (group.false_alarms and group.false_alarms.value):
      lines.append(f"{name:<{width}}  {_interval(group.found)}  {_interval(group.false_alarms)}")
  if any(kind.recall for kind in figures.kinds.values()):
    lines.append(f"{'kind':<{width}}  {'recall (95 %)':>31}  {'precision (95 %)':>31}     F1  severity error")
  for name, kind in figures.kinds.items():
    if kind.recall:
      shares = f"{_interval(kind.recall)}  {_interval(kind.precision)}"
      lines.append(f"{name:<{width}}  {shares}  {kind.f1:.3f}  {format_share(kind.severity_error):>14}")
  lines.append(f"the right groups and no others: {_interval(figures.accuracy).strip()}")
  return "\n".join(lines)


def _interval(share: Share | None) -> str:
  if share is None:
    return f"{'-':>31}"
  low, high = share.interval or (float("nan"), float("nan"))
  return f"{share.value:6.1%} of {share.pictures:4d} ({low:6.1%} to {high:6.1%})"
