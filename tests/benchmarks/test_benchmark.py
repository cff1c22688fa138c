"""The commands of scripts/benchmark.py as a person runs them. That they run and what they write, never how fast."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_TINY = "tests/training/tiny.py"
_FIELDS = {"op", "library", "pictures_per_second", "device", "processor", "processors", "versions"}

# A process in which the named modules are not found, whatever is installed.
_WITHOUT = """
import sys, runpy, importlib.util
hidden = {hidden!r}
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name in hidden else found(name, *a)
sys.argv = sys.argv[1:]
runpy.run_path("scripts/benchmark.py", run_name="__main__")
"""


def _run(*arguments, hidden=("torch", "kornia", "cv2"), **environment):
  environment = {**{n: v for n, v in os.environ.items() if n != "JHLABS_JAR"}, **environment}
  command = [sys.executable, "-c", _WITHOUT.format(hidden=hidden), "benchmark.py", *map(str, arguments)]
  return subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True, check=False, timeout=280)


def _rows(tmp_path, *arguments, **options):
  """The rows that a command writes, on tiny sizes, and what it prints."""
  file = tmp_path / "new" / "rows.json"
  result = _run(*arguments, "--seconds", 0, "--rounds", 1, "--json", file, **options)
  assert result.returncode == 0, result.stderr
  rows = json.loads(file.read_text())
  for row in rows:
    assert set(row) >= _FIELDS
    assert row["pictures_per_second"] > 0
    assert row["versions"]["jax"]
  return rows, result.stdout


@pytest.mark.slow
def test_distortions_alone_where_no_other_library_is_installed(tmp_path):
  profile = tmp_path / "profile"
  rows, printed = _rows(tmp_path, "distortions", "--batch-size", 2, "--size", 32, "--profile", profile)
  assert {row["library"] for row in rows} == {"jaxdistort"}
  assert {"gaussian_blur", "gaussian_blur, radius 1 to 11", "jpeg", "protocol six"} <= {row["op"] for row in rows}
  for name in ("kornia is not installed", "OpenCV is not installed", "JH Labs is not there"):
    assert name in printed
  assert list(profile.rglob("perfetto_trace.json.gz"))
  assert list(profile.rglob("*.xplane.pb"))
  assert f"trace in {profile}" in printed


@pytest.mark.slow
def test_distortions_beside_the_libraries_that_are_installed(tmp_path):
  libraries = {"jaxdistort"}
  for library, module in (("kornia", "kornia"), ("OpenCV", "cv2")):
    libraries |= {library} if _is_installed(module) else set()
  if libraries == {"jaxdistort"}:
    pytest.skip("neither kornia nor OpenCV is installed")
  rows, printed = _rows(tmp_path, "distortions", "--batch-size", 2, "--size", 64, hidden=())
  assert {row["library"] for row in rows} == libraries
  assert "of the fastest peer" in printed


@pytest.mark.slow
@pytest.mark.skipif("JHLABS_JAR" not in os.environ, reason="JHLABS_JAR names no jar of JH Labs' filters")
def test_distortions_beside_jh_labs(tmp_path):
  rows, printed = _rows(tmp_path, "distortions", "--batch-size", 2, "--size", 32, JHLABS_JAR=os.environ["JHLABS_JAR"])
  theirs = [row["op"] for row in rows if row["library"] == "JH Labs"]
  assert len(theirs) == 8
  assert "jpeg" not in theirs
  assert "geometric mean over the six" in printed


@pytest.mark.slow
def test_a_jar_that_is_none_gets_one_line(tmp_path):
  jar = tmp_path / "filters.jar"
  jar.write_bytes(b"no jar")
  result = _run("distortions", "--batch-size", 1, "--size", 32, "--seconds", 0, "--jhlabs", jar)
  assert result.returncode == 1
  assert result.stderr.startswith("error: ")
  assert "filters.jar" in result.stderr or "JH Labs' filters ended" in result.stderr
  assert result.stderr.count("\n") == 1


@pytest.mark.slow
def test_training(tmp_path):
  (row,), printed = _rows(tmp_path, "training", "--config", _TINY, "--data", "samples")
  assert row["op"] == "training step of compact"
  assert 0 < row["distortion_share"] < 10
  assert 0 <= row["data_share"] <= 1
  assert row["data"] == "samples"
  assert row["mfu"] > 0
  assert row["mfu_of_data_sheet"] is None
  assert "PyTorch is left out: its step is there for vgg_scratch" in printed


@pytest.mark.slow
def test_input(tmp_path, folder_of_photographs):
  arguments = ("--data", f"folder:{folder_of_photographs}", "--batch-size", 4, "--size", 32)
  rows, _ = _rows(tmp_path, "input", *arguments, "--workers", 0, "--workers", 1)
  assert [row["op"] for row in rows] == [
    "decode and standardise, threads",
    "decode and standardise, 1 worker",
    "transfer to the device",
  ]
  assert rows[-1]["gigabytes_per_second"] > 0


def _is_installed(module):
  code = f"import importlib.util as u, sys; sys.exit(u.find_spec({module!r}) is None)"
  return subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
