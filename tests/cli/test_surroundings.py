"""What surrounds a command and is amiss: its config file, its output, its devices, its streams."""

import os
import re
import subprocess
import sys
from types import SimpleNamespace

import jax
import pytest
from PIL import Image

from jaxdistort.cli import config_file, console, extras
from tests.cli.processes import ROOT
from tests.inference.test_explaining import recogniser_of

pytestmark = pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")  # ml_collections uses it

_TINY = "from tests.training.tiny import get_config as tiny\ndef get_config():\n  config = tiny()\n  "


@pytest.mark.parametrize(
  ("text", "message"),
  [
    ("def get_config(:", "cannot be used as a config (SyntaxError: invalid syntax"),
    ("import nowhere_to_be_found", "(ModuleNotFoundError: No module named 'nowhere_to_be_found')"),
    ("def get_config():\n  raise RuntimeError('two\\nlines')", "(RuntimeError: two lines)"),
    ("import sys\nsys.exit(3)", "(SystemExit: 3)"),
    ("assert False", "(AssertionError: AssertionError)"),
    ("\0", "cannot be used as a config ("),
    ("", "has no function get_config(); see configs/compact.py for one"),
    ("get_config = 3", "(TypeError: 'int' object is not callable)"),
    ("def get_config(): return {}", "get_config() gives a dict, expected a TrainConfig"),
    ("def get_config(): return None", "get_config() gives a NoneType, expected a TrainConfig"),
    (f"{_TINY}config.batch_size = '16'\n  return config", "config: batch_size must be of type int, got '16'"),
    (f"{_TINY}config.seed = True\n  return config", "config: seed must be of type int, got True"),
    (f"{_TINY}config.data = None\n  return config", "config: data must be of type DataConfig, got None"),
    (f"{_TINY}config.data.source = 3\n  return config", "config: data.source must be of type str, got 3"),
    (f"{_TINY}config.optimizer.decay = None\n  return config", "config: optimizer.decay must be of type float, got"),
  ],
)
def test_a_config_file_that_cannot_be_used_gets_one_line(refused, tmp_path, text, message):
  file = tmp_path / "config.py"
  file.write_text(text)
  assert message in refused("train", "--config", file, "--workdir", tmp_path / "run")
  assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("given", ["file", "file/below", ""])
def test_an_output_that_cannot_be_is_refused_before_any_work(refused, tmp_path, given):
  (tmp_path / "file").touch()
  output = tmp_path / given if given else ""
  for words in (
    ("evaluate", "--checkpoint", "/x", "--data", "samples", "--output", output),
    ("sweep", "--checkpoint", "/x", "--data", "samples", "--distortion", "twirl", "--output", output),
    ("probe", "--checkpoint", "/x", "--data", "samples", "--output", output),
    ("explain", "--checkpoint", "/x", "a.png", "--output", output),
    ("compare", "/x", "--output", output),
    ("prepare", "--data", "samples", "--output", output),
    ("convert", "--from", "run", "/x", "--output", tmp_path if given == "file" else output),
    *([("train", "--config", ROOT / "tests" / "training" / "tiny.py", "--workdir", output)] if given else []),
  ):
    said = refused(*words)
    assert "; give " in said
    assert "/x" not in said


def test_an_output_may_have_a_name_as_long_as_the_folder_takes(command, untrained, tmp_path):
  file = tmp_path / ("m" * 243 + ".safetensors")
  assert command("convert", "--from", "run", untrained / "variable", "--output", file).status == 0
  assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_names_that_command_a_terminal_are_shown_harmless(command, monkeypatch, tmp_path):
  monkeypatch.setattr("jaxdistort.inference.load", lambda path, weights: recogniser_of("compact", path))
  good, bad = tmp_path / "a\nb\x1b[2J.png", tmp_path / "none\r.png"
  Image.new("RGB", (40, 50)).save(good)
  ended = command("explain", "--checkpoint", tmp_path, "--output", tmp_path / "out", good, bad)
  assert ended.status == 1
  assert (ended.out.count("\n"), ended.err.count("\n")) == (1, 1)
  assert ended.out.startswith(f"{tmp_path}/a\\nb\\x1b[2J.png: ")
  assert ended.err.startswith(f"{tmp_path}/none\\r.png: cannot be read: ")


@pytest.mark.parametrize(
  ("error", "reason"),
  [
    (AssertionError(), "none was found"),
    (RuntimeError("Unable to initialize backend 'x': no\nsuch (set JAX_PLATFORMS='' to"), "Unable .* 'x': no such"),
  ],
)
def test_devices_that_are_not_there_are_named_with_those_that_are(error, reason, monkeypatch):
  """As JAX has it: it raises until it is told to take what there is."""
  told = {"jax_platforms": "x"}

  def devices():
    if told["jax_platforms"]:
      raise error
    return [SimpleNamespace(platform="cpu")]

  fake = SimpleNamespace(
    devices=devices,
    config=SimpleNamespace(jax_platforms="x", update=told.__setitem__),
    distributed=SimpleNamespace(is_initialized=bool),
  )
  monkeypatch.setitem(sys.modules, "jax", fake)
  said = extras.missing_devices(error)
  pattern = rf"JAX_PLATFORMS=x: its devices cannot be used here \({reason}\); available: cpu; give one of these"
  assert said
  assert re.match(pattern, said)


def test_other_errors_are_no_matter_of_devices():
  for error in (RuntimeError("of ours"), AssertionError(), ValueError("Unable to initialize backend")):
    assert extras.missing_devices(error) is None
  assert jax.devices()


def test_a_config_that_asks_for_devices_that_are_not_there_says_so(monkeypatch, refused, tmp_path):
  monkeypatch.setattr(config_file, "missing_devices", lambda error: f"no devices ({error})")
  (tmp_path / "config.py").write_text("raise RuntimeError('of JAX')")
  assert refused("train", "--config", tmp_path / "config.py") == "error: no devices (of JAX)\n"


@pytest.mark.parametrize(("closed", "status"), [("<&- >&- 2>&-", 1), (">&-", 1), ("2>&-", 1), (">/dev/full", 1)])
def test_streams_that_take_nothing_are_no_traceback(closed, status, tmp_path):
  """An error is one line where there is a stderr; a file that is opened gets the number of no stream."""
  command = f"{sys.executable} -m jaxdistort nonsense {closed}"
  result = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
  assert result.returncode == status
  assert result.stdout == ""
  assert result.stderr.count("\n") == ("2>&-" not in closed)
  assert "Traceback" not in result.stderr


def test_a_full_stdout_is_told():
  command = f"{sys.executable} -m jaxdistort --version >/dev/full"
  result = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
  assert (result.returncode, result.stderr) == (1, "error: No space left on device\n")


def test_streams_that_were_closed_are_opened(monkeypatch):
  opened = []
  fstat = lambda number: (_ for _ in ()).throw(OSError()) if number == 1 else None
  system = SimpleNamespace(fstat=fstat, open=lambda path, flags: opened.append(path), O_RDWR=0, devnull=os.devnull)
  monkeypatch.setattr(console, "os", system)
  monkeypatch.setattr(sys, "stdout", None)
  console._open_closed_streams()
  assert opened == [os.devnull]
  assert sys.stdout.writable()
  sys.stdout.close()
