"""scripts/prepare.py as a person runs it: stopped, killed, and with words that are wrong."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]


def _command(*arguments):
  return [sys.executable, "scripts/prepare.py", *map(str, arguments)]


def _run(*arguments, **options):
  return subprocess.run(
    _command(*arguments), cwd=_ROOT, capture_output=True, text=True, check=False, timeout=240, **options
  )


@pytest.mark.slow
def test_from_a_folder_to_prepared_pictures_and_a_distorted_set(folder_of_photographs, tmp_path):
  source = ("--data", f"folder:{folder_of_photographs}", "--image-size", 32)
  result = _run(*source, "--output", tmp_path / "prepared")
  assert result.returncode == 0, result.stderr
  assert "1 of 1 shards made: --data prepared:" in result.stdout
  assert "2 pictures could not be read and were left out: reasons in" in result.stdout
  assert "40/40" in result.stderr
  assert "up to date" in _run(*source, "--output", tmp_path / "prepared").stdout

  distorted = ("--data", f"prepared:{tmp_path}/prepared", "--protocol", "six", "--image-size", 32, "--workers", 0)
  result = _run(*distorted, "--split", "test", "--output", tmp_path / "distorted")
  assert result.returncode == 0, result.stderr
  assert "7 pictures (7 made now) in" in result.stdout
  assert len(list((tmp_path / "distorted").glob("test/*/*.jpg"))) == 7
  assert "(finished before)" in _run(*distorted, "--split", "test", "--output", tmp_path / "distorted").stdout


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_stopped_it_goes_on(number, tmp_path):
  """Dead leaves, in four shards, are slow enough to be stopped in time."""
  command = _command("--data", "synthetic", "--image-size", 64, "--output", tmp_path / "prepared", "--workers", 1)
  with (tmp_path / "log").open("w") as log:
    process = subprocess.Popen(command, cwd=_ROOT, stdout=log, stderr=log, start_new_session=True)
  deadline = time.monotonic() + 120
  while not list(tmp_path.glob("prepared/shard-*.csv")):
    assert process.poll() is None, (tmp_path / "log").read_text()
    assert time.monotonic() < deadline
    time.sleep(0.01)
  os.killpg(process.pid, number)
  assert process.wait(60) == (130 if number == signal.SIGINT else -signal.SIGKILL)
  if number == signal.SIGINT:
    log = (tmp_path / "log").read_text()
    assert log.endswith("\nstopped\n")
    assert "Traceback" not in log
    assert not list(tmp_path.glob("prepared/*.partial"))
  result = _run("--data", "synthetic", "--image-size", 64, "--output", tmp_path / "prepared")
  assert result.returncode == 0, result.stderr
  assert " of 4 shards are there, " in result.stdout


@pytest.mark.slow
def test_a_full_disk_gets_one_clear_line(folder_of_photographs, tmp_path):
  """No file may become larger than 64 KiB: the system says so as it says that the disk is full."""
  source = ("--data", f"folder:{folder_of_photographs}", "--image-size", 64, "--workers", 0)
  limited = f"ulimit -f 64; exec {' '.join(_command(*source, '--output', tmp_path / 'prepared'))}"
  result = subprocess.run(["bash", "-c", limited], cwd=_ROOT, capture_output=True, text=True, check=False, timeout=240)
  assert result.returncode == 1
  last = result.stderr.splitlines()[-1]
  assert last.startswith("error: ")
  assert "shard-00000.array_record cannot be written: " in last
  assert last.endswith("File too large")
  assert "Traceback" not in result.stderr
  assert _run(*source, "--output", tmp_path / "prepared").returncode == 0


_GIVEN = ["--data", "samples", "--output", "/tmp/nothing_there"]


@pytest.mark.slow
@pytest.mark.parametrize(
  ("arguments", "message"),
  [
    ([], "the following arguments are required: --data, --output; see --help"),
    (["--data", "photos", "--output", "/tmp/nothing_there"], "data source 'photos': expected folder:PATH"),
    (["--data", "samples+synthetic", "--output", "/tmp/nothing_there"], "a mix cannot be prepared; prepare each"),
    (["--data", "samples", "--output", "/proc/nowhere"], "/proc/nowhere"),
    (["--data", "samples", "--output", "README.md"], "--output README.md: is no empty folder, and none that"),
    ([*_GIVEN, "--image-size", "big"], "argument --image-size: expected a whole number of at least 32, got 'big'"),
    ([*_GIVEN, "--workers", "-1"], "argument --workers: expected a whole number of at least 0, got '-1'"),
    ([*_GIVEN, "--format", "jpeg"], "--format is for distorted sets; give --protocol too"),
    ([*_GIVEN, "--jpeg-quality", "75"], "--jpeg-quality is for distorted sets; give --protocol too"),
    ([*_GIVEN, "--seed", "1"], "--seed is for distorted sets; give --protocol too"),
    ([*_GIVEN, "--split", "test"], "--split is for distorted sets; give --protocol too"),
    ([*_GIVEN, "--protocol", "six", "--no-augment"], "--no-augment is for prepared pictures"),
    ([*_GIVEN, "--protocol", "sixx"], "--protocol: 'sixx' is not one of six, variable; did you mean 'six'"),
    ([*_GIVEN, "--protocol", "six", "--format", "jpg"], "--format: 'jpg' is not one of jpeg, arrayrecord"),
    ([*_GIVEN, "--protocol", "six", "--split", "tset"], "split: 'tset' is not one of train"),
    ([*_GIVEN, "--protocol", "six", "--seed", "x"], "argument --seed: invalid int value: 'x'"),
    ([*_GIVEN, "--protocol", "six", "--jpeg-quality", "101"], "--jpeg-quality must be within 0..100, got 101"),
  ],
)
def test_wrong_words_get_one_clear_line(arguments, message):
  result = _run(*arguments)
  assert result.returncode == 1
  assert result.stderr.startswith("error: ")
  assert message in result.stderr
  assert result.stderr.count("\n") == 1
