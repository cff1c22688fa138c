"""A report's figures as a table for the terminal."""

from jaxdistort.metrics.figures import ClassificationFigures, Figures, RecognitionFigures


def format_figures(figures: Figures) -> str:
  """A row for each class or kind, and the figures of all."""
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
    alarms = (
      "" if figures.false_alarms is None else f", something is found on {figures.false_alarms:.1%} of clean pictures"
    )
    lines.append(
      f"mean average precision {figures.mean_average_precision:.4f}, macro F1 {figures.macro_f1:.4f}{alarms}"
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
