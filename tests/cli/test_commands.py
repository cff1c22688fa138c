"""The commands as a person runs them: what they say and leave behind, killed runs, words that are wrong."""

import json
import runpy
import signal
import subprocess
import sys

import jax
import numpy as np
import pytest
from PIL import Image

import jaxdistort
from jaxdistort.cli import COMMANDS
from tests.cli.processes import ROOT
from tests.inference.test_explaining import recogniser_of

pytestmark = pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")  # ml_collections uses it

_TINY = "tests/training/tiny.py"
_RUN = ("--config", _TINY, "--config.model.name=softmax")
_JUDGED = ("--checkpoint", "/x", "--data", "samples", "--output", "OUTPUT")


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
  """A run of the script, in a process as a person starts it."""
  workdir = tmp_path_factory.mktemp("runs") / "unbroken"
  command = [sys.executable, "scripts/train.py", *_RUN, "--workdir", str(workdir)]
  result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
  assert result.returncode == 0, result.stderr
  return workdir, result


@pytest.mark.long
def test_a_run_shows_what_it_does(unbroken, command, monkeypatch):
  monkeypatch.chdir(ROOT)
  workdir, result = unbroken
  for word in (
    "softmax: ",
    " trainable of ",
    "pictures for training",
    "12 steps of 16 pictures",
    "a new run in",
    "accuracy 0.",
  ):
    assert word in result.stdout
  for word in ("loss", "accuracy", "pictures/s", "12/12"):
    assert word in result.stderr
  assert "Traceback" not in result.stderr
  assert "WARNING" not in result.stderr
  again = command("train", *_RUN, "--workdir", workdir)
  assert "is finished (12 steps)" in again.out
  assert again.status == 0


@pytest.mark.long
def test_killed_at_any_moment_a_run_ends_with_the_same_parameters(start, unbroken, tmp_path):
  """Killed while it starts, in the middle of writing a checkpoint, and between checkpoints, as the next one begins."""
  workdir = tmp_path / "killed"
  moments = (
    r"^os.rename .*/config\.json ",
    r"^open .*/checkpoints/4\..* w",
    r"^os.mkdir .*/checkpoints/8\.",
  )
  for moment in moments:
    child = start(f"kill:{moment}", "train", *_RUN, "--workdir", workdir)
    assert child.wait() == -signal.SIGKILL, child.log.read_text()
  assert not (workdir / "checkpoints" / "8").exists()
  child = start("-", "train", *_RUN, "--workdir", workdir)
  assert child.wait() == 0, child.log.read_text()
  assert "resuming at step 4" in child.log.read_text()

  files = [run / "evaluation" / "test" / "report.json" for run in (workdir, unbroken[0])]
  report, expected = (json.loads(file.read_text()) for file in files)
  assert report | {"checkpoint": expected["checkpoint"]} == expected
  ours, theirs = (jaxdistort.load(run / "checkpoints" / "12").variables for run in (workdir, unbroken[0]))
  jax.tree.map(np.testing.assert_array_equal, ours, theirs)
  rows = [json.loads(row)["step"] for row in (workdir / "metrics.jsonl").read_text().splitlines()]
  assert rows == sorted(rows)


@pytest.mark.long
def test_evaluation_alone_counts_every_picture(unbroken, command, refused, folder_of_photographs, tmp_path):
  output = tmp_path / "report"
  ended = command(
    "evaluate",
    *("--checkpoint", unbroken[0], "--data", f"folder:{folder_of_photographs}", "--protocol", "variable"),
    *("--output", output, "--workers", 0),
  )
  assert ended.status == 0, ended.err
  assert "2 pictures could not be read" in ended.out
  assert len((output / "broken_pictures.jsonl").read_text().splitlines()) == 2
  report = json.loads((output / "report.json").read_text())
  assert report["broken"] == 2
  (figures,) = report["views"].values()
  assert figures["pictures"] == np.sum(figures["confusion_matrix"]) == 9 * 38
  assert figures["names"] == ["clean", "gaussian_blur", "gaussian_noise"]
  assert [row["support"] for row in figures["per_class"].values()] == [38, 4 * 38, 4 * 38]
  for name in ("confusion_matrix.png", "examples.png", "report.html", "predictions.csv"):
    assert (output / name).stat().st_size > 1000
  for name in ("accuracy_by_ssim.svg", "accuracy_by_level.svg"):
    assert (output / name).stat().st_size > 1000

  compared = command("compare", unbroken[0], output, "--output", tmp_path / "comparison")
  assert compared.status == 0, compared.err
  assert "| the study's | VGG16 scratch   | 0.8640 " in compared.out
  assert json.loads((tmp_path / "comparison" / "comparison.json").read_text())["pairs"] == []
  assert (tmp_path / "comparison" / "comparison.md").read_text() in compared.out


@pytest.mark.long
def test_a_sweep_from_the_command_line(untrained, command, folder_of_photographs, tmp_path):
  ended = command(
    "sweep",
    *("--checkpoint", untrained / "variable", "--data", f"folder:{folder_of_photographs}"),
    *("--distortion", "gaussian_blur", "--levels", "0.5:11:3", "--output", tmp_path / "sweep", "--workers", 0),
  )
  assert ended.status == 0, ended.err
  assert "radius (px)  variable  SSIM  PSNR (dB)" in ended.out
  assert "2 pictures could not be read" in ended.out
  report = json.loads((tmp_path / "sweep" / "sweep.json").read_text())
  assert len(report["sweeps"][0]["levels"]) == 3
  assert report["broken"] == 2
  assert len((tmp_path / "sweep" / "broken_pictures.jsonl").read_text().splitlines()) == 2


@pytest.mark.long
def test_a_probe_from_the_command_line(command, folder_of_photographs, tmp_path):
  words = ("probe", "--checkpoint", recogniser_of("compact", tmp_path).save(tmp_path / "model.safetensors"))
  words += ("--data", f"folder:{folder_of_photographs}", "--pictures", 72, "--workers", 0)
  ended = command(*words, "--output", tmp_path / "probe")
  assert ended.status == 0, ended.err
  assert "fitted on " in ended.out
  assert "note: the network's own figures are missing: its task is classification, not recognition" in ended.out
  report = json.loads((tmp_path / "probe" / "report.json").read_text())
  assert list(report["figures"]) == ["probe"]
  assert report["probe"]["kinds"] == ["gaussian_blur", "gaussian_noise"]
  assert (tmp_path / "probe" / "probe.safetensors").is_file()


@pytest.mark.slow
def test_a_run_becomes_a_file_that_says_the_same(untrained, command, photographs, tmp_path):
  file = tmp_path / "new" / "model.safetensors"
  ended = command("convert", "--from", "run", untrained / "variable", "--output", file)
  assert ended.status == 0, ended.err
  assert f"{file}: softmax, classification of gaussian_blur, gaussian_noise; " in ended.out
  answers = [jaxdistort.load(place).predict(photographs[0]) for place in (file, untrained / "variable")]
  assert answers[0] == answers[1]


@pytest.mark.slow
def test_pictures_that_cannot_be_explained_are_named_and_counted(monkeypatch, command, tmp_path):
  monkeypatch.setattr("jaxdistort.inference.load", lambda path, weights: recogniser_of("compact", path))
  Image.new("RGB", (40, 50)).save(tmp_path / "picture.png")
  good, bad = tmp_path / "picture.png", tmp_path / "nowhere.png"
  words = ("explain", "--checkpoint", tmp_path, "--output", tmp_path / "out")
  ended = command(*words, good, bad)
  assert ended.status == 1
  assert ended.out.startswith(f"{good}: ")
  assert ended.out.endswith(f" -> {tmp_path}/out/picture_explained.png\n")
  assert ended.err.startswith(f"{bad}: cannot be read: ")
  assert command(*words, good).status == 0


@pytest.mark.parametrize(
  ("arguments", "message"),
  [
    ([], "--config is missing: give one of configs/compact.py"),
    (["--config", "configs/quickstrat.py"], "--config configs/quickstrat.py: no such file"),
    (["--config", "README.md"], "README.md: cannot be used as a config"),
    (["--config", _TINY, "--config.batch_sise=3"], "--config.batch_sise: 'batch_sise' is not one of"),
    (["--config", _TINY, "--config.batch_size=many"], "--config.batch_size=many: invalid literal"),
    (["--config", _TINY, "--config.batch_size=0"], "batch_size must be at least 1, got 0"),
    (["--config", _TINY, "--config.data.source=folder:/nowhere"], "/nowhere does not exist"),
    (["--config", _TINY, "--config.model.name=vgg"], "model.name: 'vgg' is not one of"),
    (["--config", _TINY, "--wrokdir=x"], "unknown flag --wrokdir; did you mean --workdir?"),
    (["--config", _TINY, "--workdir", "/proc/nowhere/x"], "/proc/nowhere"),
    (["--config", _TINY, "rubbish"], "'rubbish' is not a flag"),
    (["--config", _TINY, "--config.=3"], "--config.: '' is not one of"),
    (["--config", _TINY, "--config.data=samples"], "--config.data is a group of fields: give one of its source,"),
    (["--config", _TINY, "--processes=2"], "--processes and --process need --coordinator"),
  ],
)
def test_wrong_words_to_train_get_one_clear_line(refused, arguments, message, tmp_path, monkeypatch):
  monkeypatch.chdir(ROOT)
  workdir = [] if "--workdir" in arguments else ["--workdir", tmp_path / "run"]
  assert message in refused("train", *arguments, *workdir)


@pytest.mark.parametrize(
  ("words", "message"),
  [
    (["evaluat"], "command: 'evaluat' is not one of predict, scan, .*; did you mean 'evaluate'?"),
    (["--data", "x"], "--data is not known before a command; see --help"),
    (["evaluate", "--data", "samples"], "the following arguments are required: --checkpoint, --output; see --help"),
    (["evaluate", "--workers", "-1"], "argument --workers: expected a whole number of at least 0, got '-1'"),
    (["evaluate", *_JUDGED], "checkpoint /x: does not exist"),
    (["evaluate", *_JUDGED, "--view", "pad"], "--view is for databases"),
    (["evaluate", *_JUDGED, "--data", "live:/y", "--split", "test"], "--split is for clean pictures"),
    (["evaluate", *_JUDGED, "--data", "labelled:/y.csv", "--protocol", "six"], "/y.csv are labelled pictures"),
    (["evaluate", *_JUDGED, "--checkpoint", "/x.safetensors"], "model /x.safetensors: no such file"),
    (["evaluate", "--output", "README.md"], "argument --output: README.md is a file; give a folder, or a name"),
    (["sweep", "--checkpoint", "/x", "--data", "samples"], "required: --distortion, --output; see --help"),
    (["sweep", *_JUDGED, "--distortion", "blur"], "distortion: 'blur' is not one of gaussian_blur"),
    (["sweep", *_JUDGED, "--distortion", "jpeg", "--levels", "1:2"], "levels '1:2': expected START:STOP:COUNT"),
    (["sweep", *_JUDGED, "--distortion", "jpeg", "--levels", "1", "--levels", "2"], "2 given for 1 distortions"),
    (["sweep", *_JUDGED, "--distortion", "jpeg"], "checkpoint /x: does not exist"),
    (["sweep", "--output", "README.md/below"], "argument --output: README.md is a file; give a folder, or a name"),
    (["probe", "--checkpoint", "/x", "--data", "samples"], "required: --output; see --help"),
    (["probe", *_JUDGED], "checkpoint /x: does not exist"),
    (["probe", *_JUDGED, "--data", "live:/y"], "--data live:/y: is a database; give clean pictures"),
    (["probe", *_JUDGED, "--pictures", "0"], "argument --pictures: expected a whole number of at least 1, got '0'"),
    (["probe", *_JUDGED, "--split", "all"], "argument --split: invalid choice: 'all'"),
    (["compare", "/x", "--output", "README.md"], "argument --output: README.md is a file"),
    (["compare", "/x"], "/x: does not exist; give a folder that holds a report, or a run's"),
    (["compare"], "the following arguments are required: folders; see --help"),
    (["explain", "--checkpoint", "/x", "a.png"], "checkpoint /x: does not exist"),
    (["convert", "--from", "caffe", "x", "--output", "y"], "--from: 'caffe' is not one of keras-vgg16"),
    (["convert", "--from", "keras-vgg16", "--output", "y"], "FILE is missing: the file to convert, or --download"),
    (["convert", "--from", "keras-vgg16", "--output", "y", "--weights", "z"], "--weights is for --from run"),
    (["convert", "--from", "run", "--output", "y"], "the run is missing: give its folder"),
    (["convert", "--from", "run", "x", "--output", "y", "--download"], "are for weights from elsewhere"),
    (["convert", "--from", "run", "/x", "--output", "y"], "checkpoint /x: does not exist"),
  ],
)
def test_wrong_words_get_one_clear_line(refused, words, message, tmp_path, monkeypatch):
  monkeypatch.chdir(ROOT)
  given = refused(*(str(tmp_path / "out") if word == "OUTPUT" else word for word in words))
  for part in message.split(".*"):
    assert part in given
  assert not (tmp_path / "out").exists()


def test_a_protocol_that_a_network_does_not_know_gets_one_clear_line(refused, untrained, tmp_path):
  words = ("--checkpoint", untrained / "variable", "--data", "samples", "--protocol", "six", "--output", tmp_path / "x")
  expected = "error: protocol six: the network does not know motion_blur, only gaussian_blur, gaussian_noise\n"
  assert refused("evaluate", *words) == expected


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(command, name):
  assert command(name, "--help").out.count(f"jaxdistort {name} ") >= 1
  assert f"  {name} " in command().out
  assert command("--version").out == f"jaxdistort {jaxdistort.__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_script_is_a_line_over_its_command(name, monkeypatch):
  script = ROOT / "scripts" / ("convert_weights.py" if name == "convert" else f"{name.replace('-', '_')}.py")
  given = []
  monkeypatch.setattr("jaxdistort.cli.main", given.extend)
  monkeypatch.setattr(sys, "argv", [str(script), "--data", "x"])
  runpy.run_path(str(script), run_name="__main__")
  assert given == [name, "--data", "x"]


def test_the_package_is_a_command(tmp_path):
  """From anywhere, and from no checkout."""
  result = subprocess.run(
    [sys.executable, "-m", "jaxdistort", "evaluate"], cwd=tmp_path, capture_output=True, text=True, check=False
  )
  assert (result.returncode, result.stdout) == (1, "")
  assert result.stderr.startswith("error: the following arguments are required: ")


def test_importing_the_package_loads_nothing_heavy():
  code = "import sys, jaxdistort; sys.exit(any(m in sys.modules for m in ('jax', 'flax', 'grain', 'matplotlib')))"
  assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
