"""What is printed of rows, and what the peers of a comparison compute."""

import importlib.util

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.distortions import list_work
from benchmarks.peers import Albumentations, Kornia, OpenCV
from benchmarks.tables import CLASSES, format_markdown, format_table, summarise
from benchmarks.timing import Stopwatch, calling, installed_versions
from jaxdistort.distortions import DISTORTIONS


def _row(op, library, speed, **more):
  return {"op": op, "library": library, "pictures_per_second": speed, **more}


def test_a_table_sets_libraries_side_by_side():
  rows = [_row("blur", "jaxdistort", 3000.0), _row("blur", "kornia", 1500.0, note="in float32")]
  rows += [_row("blur", "JH Labs", 300.0), _row("jpeg", "jaxdistort", 50.25)]
  assert format_table(rows).splitlines() == [
    "pictures/s  jaxdistort  kornia  JH Labs  of the fastest peer",
    "blur            3,000   1,500*     300                  2.00",
    "jpeg             50.2       -        -                     -",
    "* blur, kornia: in float32",
  ]


def test_ours_alone_has_no_ratio():
  assert format_table([_row("jpeg", "jaxdistort", 1000.0)]).splitlines() == [
    "pictures/s  jaxdistort",
    "jpeg            1,000 ",
  ]


def test_the_summary_has_the_geometric_mean_over_the_six():
  rows = [_row(op, "jaxdistort", 800.0) for op in CLASSES]
  rows += [_row(op, "JH Labs", speed) for op, speed in zip(CLASSES, (100, 100, 100, 400, 400, 400), strict=True)]
  assert summarise(rows, ("JH Labs", "kornia")) == (
    "times JH Labs: gaussian_blur 8.00, motion_blur 8.00, gaussian_noise 8.00, monochrome_noise 2.00, marble 2.00, "
    "twirl 2.00; geometric mean over all 6 4.00, over the study's six 4.00"
  )
  assert "the study" not in summarise(rows[:-1], ("JH Labs",))


_ROWS = [
  _row("jpeg", "jaxdistort", 3000.0),
  _row("jpeg", "OpenCV", 1500.0, note="a file"),
  _row("jpeg, quality 1", "jaxdistort", 10.0),
  _row("jpeg, quality 1", "OpenCV", 1.0, note="a file"),
  _row("imagenet_c snow, severity 3", "jaxdistort", 400.0),
  _row("imagenet_c snow, severity 3", "imagecorruptions", 100.0),
  _row("imagenet_c, geometric mean over 1", "jaxdistort", 400.0),
  _row("imagenet_c, geometric mean over 1", "imagecorruptions", 100.0),
  _row("protocol wild", "jaxdistort", 50.0),
]


def test_the_summary_counts_every_op_once():
  assert summarise(_ROWS, ("imagecorruptions", "OpenCV")).splitlines() == [
    "times imagecorruptions: imagenet_c snow 4.00; geometric mean over all 1 4.00",
    "times OpenCV: jpeg 2.00; geometric mean over all 1 2.00",
  ]


def test_markdown_has_a_table_for_each_set_of_libraries():
  assert (
    format_markdown(_ROWS)
    == """\
| pictures/s | jaxdistort | OpenCV |
|---|---:|---:|
| jpeg | 3,000 | 1,500 (2) <sup>1</sup> |
| jpeg, quality 1 | 10 | 1 (10) <sup>1</sup> |

| pictures/s | jaxdistort | imagecorruptions |
|---|---:|---:|
| imagenet_c snow, severity 3 | 400 | 100 (4) |
| imagenet_c, geometric mean over 1 | 400 | 100 (4) |

| pictures/s | jaxdistort |
|---|---:|
| protocol wild | 50 |

<sup>1</sup> OpenCV: a file."""
  )


def test_contenders_take_turns():
  order = []
  turns = {name: lambda seconds, name=name: [order.append(name) or 1.0] for name in "ab"}
  timings = Stopwatch(seconds=0, rounds=3).time(turns)
  assert "".join(order) == "ab" + 3 * "ab"
  assert timings["a"].median == 1


def test_a_turn_leaves_its_first_call_out():
  calls = []
  assert len(calling(lambda: calls.append(0))(0)) == 1
  assert len(calls) == 2


def test_versions_are_those_installed():
  assert installed_versions()["jax"] == jax.__version__


_OTHERWISE = ("motion_blur", "jpeg2000", "marble", "banding", "sharpen", "zoom_blur", "subsampled")
_OTHERWISE += ("low_contrast", "high_contrast", "desaturation", "oversaturation", "upscaled_")


@pytest.mark.parametrize(
  ("library", "modules"),
  [(Kornia, ("torch", "kornia")), (OpenCV, ("cv2",)), (Albumentations, ("albumentations",))],
)
def test_peers_do_the_same_work(library, modules, photographs):
  """Where they are installed: the same pictures come out, but for how each rounds and treats the edges."""
  if not all(importlib.util.find_spec(module) for module in modules):
    pytest.skip(f"{modules[-1]} is not installed")
  peer = library(photographs)
  for work in list_work(len(photographs)):
    distortion, turn = DISTORTIONS[work.distortion], peer.turn(work)
    exchanged = library is Albumentations and work.distortion == "jpeg"  # red and blue, before they are coded
    if turn is None or distortion.random or work.distortion.startswith(_OTHERWISE) or exchanged:
      continue
    assert turn(0)
    keys = jax.random.split(jax.random.key(0), len(photographs))
    parameters = {name: jnp.asarray(values) for name, values in work.parameters.items()}
    ours = jax.vmap(lambda key, image, own, op=distortion: op(key, image, **own))(keys, photographs, parameters)
    difference = np.abs(peer.results().astype(float) - np.asarray(ours))
    assert np.mean(difference) < 2, work.name
