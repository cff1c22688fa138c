"""A report as one HTML page that needs nothing else: charts and pictures lie in it."""

import base64
import io
from collections.abc import Sequence
from typing import NamedTuple

import jinja2
from PIL import Image

from jaxdistort.evaluation.mistakes import Mistake
from jaxdistort.evaluation.report import STANDARD, Report
from jaxdistort.metrics.figures import Figures, LabelledFigures, OfLabelled
from jaxdistort.metrics.labelled import NOTHING
from jaxdistort.reporting.drawing import words

_JPEG_QUALITY = 95  # of embedded pictures: a tenth of their size as PNG
_ORIGIN = (
  "checkpoint",
  "step",
  "model",
  "task",
  "image_size",
  "data",
  "database",
  "score",
  "split",
  "trained_for",
  "protocol",
  "jpeg_quality",
  "broken",
)


class Section(NamedTuple):
  """One part of a page.

  Attributes:
    name: of the view.
    figures: of it.
    mistakes: the worst.
    charts: name -> SVG text.
  """

  name: str
  figures: Figures | LabelledFigures
  mistakes: list[Mistake]
  charts: dict[str, str]


def render_page(report: Report, sections: Sequence[Section]) -> str:
  """The page of a report: where its figures come from, and a section for each view."""
  environment = jinja2.Environment(
    loader=jinja2.PackageLoader("jaxdistort.reporting"), autoescape=True, undefined=jinja2.ChainableUndefined
  )
  environment.filters |= {"words": words, "embedded": _embedded, "answers": answers_of}
  origin = report.origin
  labelled = isinstance(report.figures, LabelledFigures)
  return environment.get_template("labelled.html" if labelled else "report.html").render(
    title=f"{origin.model} on {origin.data}",
    origin=[(words(name), value) for name in _ORIGIN if (value := getattr(origin, name)) not in ("", ())],
    problems=origin.problems,
    standard=STANDARD,
    sections=[
      section._replace(charts={name: _uri("image/svg+xml", svg.encode()) for name, svg in section.charts.items()})
      for section in sections
    ],
  )


def answers_of(figures: OfLabelled) -> list[str]:
  """The answers in a confusion of labels: those to one label beside each other."""
  named = dict.fromkeys(name for row in figures.confusion.values() for name in row if name != NOTHING)
  return [*named, NOTHING]


def _embedded(image: Image.Image) -> str:
  content = io.BytesIO()
  image.save(content, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
  return _uri("image/jpeg", content.getvalue())


def _uri(kind: str, content: bytes) -> str:
  return f"data:{kind};base64,{base64.b64encode(content).decode()}"
