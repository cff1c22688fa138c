"""`jaxdistort prepare` as a person runs it: stopped, killed, and with words that are wrong."""

import os
import shlex
import signal
import subprocess
import sys

import pytest

from jaxdistort.data.source import SOURCES
from jaxdistort.files import is_free
from jaxdistort.locking import locked
from tests.cli import gated
from tests.cli.processes import ROOT


@pytest.fixture
def gated_source():
  """The source that processes of tests/cli/child.py have, here too."""
  gated.register()
  yield
  SOURCES.unregister("gated")


@pytest.mark.long
def test_from_a_folder_to_prepared_pictures_and_a_distorted_set(command, folder_of_photographs, tmp_path):
  source = ("--data", f"folder:{folder_of_photographs}", "--image-size", 32, "--workers", 0)
  ended = command("prepare", *source, "--output", tmp_path / "prepared")
  assert ended.status == 0, ended.err
  assert "1 of 1 shards made: --data prepared:" in ended.out
  assert "2 pictures could not be read and were left out: reasons in" in ended.out
  assert "up to date" in command("prepare", *source, "--output", tmp_path / "prepared").out

  distorted = ("--data", f"prepared:{tmp_path}/prepared", "--protocol", "six", "--image-size", 32, "--workers", 0)
  output = ("--split", "test", "--output", tmp_path / "distorted")
  ended = command("prepare", *distorted, *output)
  assert ended.status == 0, ended.err
  assert "7 pictures (7 made now) in" in ended.out
  assert len(list((tmp_path / "distorted").glob("test/*/*.jpg"))) == 7
  assert "(finished before)" in command("prepare", *distorted, *output).out


@pytest.mark.long
@pytest.mark.usefixtures("gated_source")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_stopped_it_goes_on(start, command, number, tmp_path):
  """In the middle of the second of two shards, for whose pictures the worker waits."""
  output = tmp_path / "prepared"
  words = ("prepare", "--data", f"gated:{tmp_path}:1500", "--image-size", 32, "--no-augment", "--output", output)
  child = start("-", *words, "--workers", 1)
  child.wait_until(lambda: (tmp_path / "waiting").exists() and list(output.glob("shard-*.csv")))
  os.killpg(child.pid, number)
  (tmp_path / "go").touch()
  assert child.wait() == (130 if number == signal.SIGINT else -signal.SIGKILL), child.log.read_text()
  child.wait_for_workers()
  if number == signal.SIGINT:
    assert child.log.read_text().endswith("\nstopped\n")
    assert "Traceback" not in child.log.read_text()
    assert not list(output.glob("*.partial"))
  ended = command(*words, "--workers", 0)
  assert ended.status == 0, ended.err
  assert "1 of 2 shards are there, 1 are to be made" in ended.out


@pytest.mark.slow
def test_a_full_disk_gets_one_clear_line(command, folder_of_photographs, tmp_path):
  """No file may become larger than 64 KiB: the system says so as it says that the disk is full."""
  words = ("prepare", "--data", f"folder:{folder_of_photographs}", "--image-size", 64, "--workers", 0)
  words = (*words, "--output", tmp_path / "prepared")
  limited = shlex.join([sys.executable, str(ROOT / "scripts" / "prepare.py"), *map(str, words[1:])])
  result = subprocess.run(
    ["bash", "-c", f"ulimit -f 64; exec {limited}"], cwd=ROOT, capture_output=True, text=True, check=False
  )
  assert result.returncode == 1
  last = result.stderr.splitlines()[-1]
  assert last.startswith("error: ")
  assert "shard-00000.array_record cannot be written: " in last
  assert last.endswith("File too large")
  assert "Traceback" not in result.stderr
  assert command(*words).status == 0


_GIVEN = ["--data", "samples", "--output", "OUTPUT"]


@pytest.mark.parametrize(
  ("arguments", "message"),
  [
    ([], "the following arguments are required: --data, --output; see --help"),
    (["--data", "photos", "--output", "OUTPUT"], "data source 'photos': expected cuts:PATH, folder:PATH"),
    (["--data", "samples+synthetic", "--output", "OUTPUT"], "a mix cannot be prepared; prepare each"),
    (["--data", "samples", "--output", "/proc/nowhere"], "/proc/nowhere"),
    (["--data", "samples", "--output", "README.md"], "argument --output: README.md is a file; give a folder"),
    ([*_GIVEN, "--image-size", "big"], "argument --image-size: expected a whole number of at least 32, got 'big'"),
    ([*_GIVEN, "--workers", "-1"], "argument --workers: expected a whole number of at least 0, got '-1'"),
    ([*_GIVEN, "--format", "jpeg"], "--format is for distorted sets; give --protocol too"),
    ([*_GIVEN, "--jpeg-quality", "75"], "--jpeg-quality is for distorted sets; give --protocol too"),
    ([*_GIVEN, "--seed", "1"], "--seed is for distorted sets; give --protocol too"),
    ([*_GIVEN, "--split", "test"], "--split is for distorted sets; give --protocol too"),
    ([*_GIVEN, "--protocol", "six", "--no-augment"], "--no-augment is for prepared pictures"),
    (
      [*_GIVEN, "--protocol", "sixx"],
      "protocol: 'sixx' is not one of six, variable, ",
    ),
    ([*_GIVEN, "--protocol", "six", "--format", "jpg"], "form: 'jpg' is not one of jpeg, arrayrecord"),
    ([*_GIVEN, "--protocol", "six", "--split", "tset"], "split: 'tset' is not one of train"),
    ([*_GIVEN, "--protocol", "six", "--seed", "x"], "argument --seed: invalid int value: 'x'"),
    ([*_GIVEN, "--protocol", "six", "--jpeg-quality", "101"], "jpeg_quality must be within 0..100, got 101"),
  ],
)
def test_wrong_words_get_one_clear_line(refused, arguments, message, tmp_path, monkeypatch):
  monkeypatch.chdir(ROOT)
  output = tmp_path / "nothing_there"
  assert message in refused("prepare", *(str(output) if word == "OUTPUT" else word for word in arguments))
  assert not output.exists()


@pytest.mark.parametrize(
  "words",
  [
    ("prepare", "--data", "samples"),
    ("prepare", "--data", "samples", "--protocol", "variable"),
    ("evaluate", "--data", "samples", "--checkpoint", "/x"),
  ],
)
def test_a_folder_that_another_process_fills_is_left_alone(refused, tmp_path, words):
  output = tmp_path / "out"
  with locked(output):
    assert f"{output}: is in use by process {os.getpid()} on " in refused(*words, "--output", output)
    assert is_free(output)
