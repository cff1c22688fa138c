"""imagecorruptions as a peer: its processes, with a library that stands for it, and our ops beside its corruptions."""

import sys
from pathlib import Path

import numpy as np
import pytest

import benchmarks.distortions
from benchmarks.distortions import list_corruptions, list_protocols, mean_rows, with_kinds_twice
from benchmarks.peers import Corruptions, Work
from jaxdistort.distortions.distributions import Uniform
from jaxdistort.distortions.severities import Entry, SeverityTable
from jaxdistort.errors import InputError
from jaxdistort.protocols import PROTOCOLS, Kind, Nuisance, Protocol, Stage

_LIBRARY = """
import os
from skimage.filters import gaussian

def get_corruption_names(subset):
  return ["blur", "broken"]

def corrupt(image, severity, corruption_name):
  if corruption_name == "broken":
    raise ValueError("no such thing")
  print("corruptions may print")
  options = gaussian(image, sigma=1, multichannel=True)
  with open(os.environ["CORRUPTED"], "a") as log:
    log.write(f"{image[0, 0, 0]} {image.shape} {severity} {options}\\n")
"""
_SCIKIT_IMAGE = """
def gaussian(image, sigma, channel_axis=None):
  return f"axis {channel_axis}"
"""


@pytest.fixture
def log(tmp_path, monkeypatch):
  """What was corrupted, a line a picture, by a library that is found in place of imagecorruptions."""
  for name, text in {
    "imagecorruptions/__init__": _LIBRARY,
    "skimage/__init__": "",
    "skimage/filters": _SCIKIT_IMAGE,
  }.items():
    file = tmp_path / f"{name}.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
  file = tmp_path / "log"
  monkeypatch.setenv("PYTHONPATH", str(tmp_path))
  monkeypatch.setenv("CORRUPTED", str(file))
  return file


def _pictures(count):
  """Each of its own level."""
  return np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 4, 6, 3))


def _turn(peer, corruption):
  turn = peer.turn(Work(corruption, "jpeg", {}, (corruption, 3)))
  assert turn
  return turn


def test_every_process_corrupts_its_share(log, monkeypatch):
  monkeypatch.setattr("benchmarks.peers.corruptions._LONGEST", 1e9)  # however slow: the whole batch in a call
  with Corruptions(Path(sys.executable), _pictures(5), processes=2) as peer:
    assert peer.turn(Work("blur", "jpeg", {})) is None
    assert peer.turn(Work("fog", "fog", {}, ("fog", 3))) is None
    assert all(seconds > 0 for seconds in _turn(peer, "blur")(0))
    lines = log.read_text().splitlines()
    first, calls = lines[:2], lines[2:]
    assert {line.split()[0] for line in first} == {"0", "3"}
    assert {line.partition(" ")[2] for line in lines} == {"(4, 6, 3) 3 axis -1"}
    assert sorted(line.split()[0] for line in calls) == sorted("01234" * (len(calls) // 5))
    with pytest.raises(InputError, match=r"ended \(ValueError: no such thing"):
      _turn(peer, "broken")(0)


def test_of_slow_corruptions_a_call_has_fewer_pictures(log, monkeypatch):
  monkeypatch.setattr("benchmarks.peers.corruptions._LONGEST", 0.0)
  with Corruptions(Path(sys.executable), _pictures(6), processes=2) as peer:
    monkeypatch.setattr("benchmarks.peers.corruptions.calling", lambda call: lambda seconds: [call() or 2.0])
    assert _turn(peer, "blur")(0) == [6.0]  # one of three pictures each
  assert len(log.read_text().splitlines()) == 4


def test_a_python_without_the_library_is_reported(monkeypatch):
  monkeypatch.delenv("PYTHONPATH", raising=False)
  with pytest.raises(InputError, match=r"ended .*No module named 'imagecorruptions'.*NumPy below 2"):
    Corruptions(Path(sys.executable), _pictures(1))


def test_our_ops_have_the_parameters_of_the_table(monkeypatch):
  entries = {
    "jpeg_compression": Entry("jpeg", tuple({"quality": float(q)} for q in (25, 18, 15, 10, 7))),
    "motion_blur": Entry("motion_blur", ({"distance": 15.0, "angle": Uniform(-1, 1)},) * 5),
    "missing": Entry("no_such_op", ({},) * 5),
  }
  monkeypatch.setattr(benchmarks.distortions, "SEVERITY_TABLES", {"imagenet_c": SeverityTable("", entries)})
  jpeg, motion = list_corruptions(4)
  assert (jpeg.name, jpeg.distortion) == ("imagenet_c jpeg_compression, severity 3", "jpeg")
  assert (jpeg.corruption, jpeg.parameters["quality"].tolist()) == (("jpeg_compression", 3), [15] * 4)
  assert motion.parameters["angle"].dtype == np.float32
  assert len(set(motion.parameters["angle"].tolist())) == 4


def test_means_are_over_what_both_have():
  speeds = {"a": (10.0, 1.0), "b": (40.0, 1.0), "c": (1000.0, None)}
  rows = [
    {"op": op, "library": library, "device": "cpu", "pictures_per_second": speed}
    for op, pair in speeds.items()
    for library, speed in zip(("jaxdistort", "imagecorruptions"), pair, strict=True)
    if speed
  ]
  ours, theirs = mean_rows(rows)
  assert ours["op"] == "imagenet_c, geometric mean over 2"
  assert theirs["ours_of_theirs"] == pytest.approx(20)
  assert mean_rows(rows[-1:]) == []


def test_protocols_that_cut_their_pictures_out_also_have_their_kinds_twice(monkeypatch):
  stages = (Stage((Kind("jpeg"), Kind("gaussian_blur")), untouched=3, shuffled=True),)
  wild = Protocol("wild", stages, None, Nuisance())
  monkeypatch.setattr(benchmarks.distortions, "PROTOCOLS", {"six": PROTOCOLS["six"], "wild": lambda: wild})
  names = ["protocol six", "protocol wild", "protocol wild, every kind twice"]
  assert list(list_protocols()) == names
  assert list(list_protocols(["jpeg", "gaussian_blur"])) == names[1:]
  twice = with_kinds_twice(wild)
  assert (twice.period, len(twice.stages[0].kinds), twice.kinds) == (10, 4, wild.kinds)
