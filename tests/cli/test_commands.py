"""The scripts as a person runs them: runs that are killed, and words that are wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from jaxdistort.runtime.mesh import create_mesh, replicated
from jaxdistort.training.checkpoints import load_trained

_ROOT = Path(__file__).parents[2]
_TINY = "tests/training/tiny.py"
_SWEEP = ["--checkpoint", "/x", "--data", "samples", "--output", "/tmp"]


def _command(script, *arguments):
  return [sys.executable, f"scripts/{script}.py", *map(str, arguments)]


def _run(script, *arguments, **options):
  return subprocess.run(
    _command(script, *arguments), cwd=_ROOT, capture_output=True, text=True, check=False, timeout=240, **options
  )


def _train(workdir):
  return _run("train", "--config", _TINY, "--workdir", workdir)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
  workdir = tmp_path_factory.mktemp("runs") / "unbroken"
  result = _train(workdir)
  assert result.returncode == 0, result.stderr
  return workdir, result


@pytest.mark.slow
def test_a_run_shows_what_it_does(unbroken):
  workdir, result = unbroken
  for word in (
    "compact: ",
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
  assert "is finished (12 steps)" in _train(workdir).stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_any_moment_a_run_ends_with_the_same_parameters(unbroken, tmp_path):
  """Killed while it starts, between checkpoints, and in the middle of writing one."""
  workdir = tmp_path / "killed"
  checkpoints = workdir / "checkpoints"

  def begins_to_write(step):
    return lambda: checkpoints.is_dir() and any(p.name.startswith(f"{step}") for p in checkpoints.iterdir())

  moments = (
    (workdir / "config.json").exists,
    begins_to_write(4),
    lambda: '"step": 6' in (workdir / "metrics.jsonl").read_text(),
    begins_to_write(8),
  )
  for is_moment in moments:
    with (tmp_path / "log").open("w") as log:
      command = _command("train", "--config", _TINY, "--workdir", workdir)
      process = subprocess.Popen(command, cwd=_ROOT, stdout=log, stderr=log, start_new_session=True)
    deadline = time.monotonic() + 120
    while not is_moment():
      assert process.poll() is None, (tmp_path / "log").read_text()
      assert time.monotonic() < deadline
      time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
  result = _train(workdir)
  assert result.returncode == 0, result.stderr
  assert "resuming at step" in result.stdout

  files = [run / "evaluation" / "test" / "report.json" for run in (workdir, unbroken[0])]
  report, expected = (json.loads(file.read_text()) for file in files)
  assert report | {"checkpoint": expected["checkpoint"]} == expected
  ours, theirs = (load_trained(run / "checkpoints" / "12", replicated(create_mesh())) for run in (workdir, unbroken[0]))
  for part in ("parameters", "statistics"):
    left, right = (np.concatenate([np.ravel(v) for v in _leaves(getattr(t.variables, part))]) for t in (ours, theirs))
    np.testing.assert_array_equal(left, right)


def _leaves(tree):
  return [leaf for value in tree.values() for leaf in _leaves(value)] if isinstance(tree, dict) else [tree]


@pytest.mark.slow
def test_workers_die_with_a_killed_run(tmp_path):
  command = _command("train", "--config", _TINY, "--config.data.workers=1", "--config.steps=100000")
  with (tmp_path / "log").open("w") as log:
    process = subprocess.Popen([*command, "--workdir", tmp_path / "run"], cwd=_ROOT, stdout=log, stderr=log)
  deadline = time.monotonic() + 120
  while not (tmp_path / "run" / "first_batch.png").exists():
    assert process.poll() is None, (tmp_path / "log").read_text()
    assert time.monotonic() < deadline
    time.sleep(0.1)
  children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
  workers = [int(pid) for task in children.parents[1].iterdir() for pid in (task / "children").read_text().split()]
  assert len(workers) >= 1
  process.kill()
  process.wait()
  while any(_is_running(pid) for pid in workers):
    assert time.monotonic() < deadline
    time.sleep(0.2)


def _is_running(pid):
  try:
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
  except FileNotFoundError:
    return False


@pytest.mark.slow
def test_evaluation_alone_counts_every_picture(unbroken, folder_of_photographs, tmp_path):
  result = _run(
    "evaluate",
    *("--checkpoint", unbroken[0], "--data", f"folder:{folder_of_photographs}", "--protocol", "variable"),
    *("--output", tmp_path / "report", "--workers", 0),
  )
  assert result.returncode == 0, result.stderr
  assert "2 pictures could not be read" in result.stdout
  report = json.loads((tmp_path / "report" / "report.json").read_text())
  assert report["pictures"] == np.sum(report["confusion_matrix"]) == 9 * 38
  assert report["class_names"] == ["reference", "gaussian_blur", "gaussian_noise"]
  assert [row["support"] for row in report["per_class"].values()] == [38, 4 * 38, 4 * 38]
  assert (tmp_path / "report" / "confusion_matrix.png").stat().st_size > 1000
  assert (tmp_path / "report" / "examples.png").stat().st_size > 1000
  for name in ("report.html", "predictions.csv", "accuracy_by_ssim.svg", "accuracy_by_level.svg"):
    assert (tmp_path / "report" / name).stat().st_size > 1000
  compared = _run("compare", unbroken[0], tmp_path / "report", "--output", tmp_path / "comparison")
  assert compared.returncode == 0, compared.stderr
  assert "| the study's | VGG16 scratch   | 0.8640 " in compared.stdout
  assert json.loads((tmp_path / "comparison" / "comparison.json").read_text())["pairs"] == []
  assert (tmp_path / "comparison" / "comparison.md").read_text() in compared.stdout
  unknown = _run(
    "evaluate", "--checkpoint", unbroken[0], "--data", "samples", "--protocol", "six", "--output", tmp_path / "x"
  )
  assert unknown.returncode == 1
  assert unknown.stderr.startswith("error: class of six: 'motion_blur' is not one of reference, gaussian_blur")


@pytest.mark.slow
def test_a_sweep_from_the_command_line(unbroken, folder_of_photographs, tmp_path):
  result = _run(
    "sweep",
    *("--checkpoint", unbroken[0], "--data", f"folder:{folder_of_photographs}", "--distortion", "gaussian_blur"),
    *("--levels", "0.5:11:3", "--output", tmp_path / "sweep", "--workers", 0),
  )
  assert result.returncode == 0, result.stderr
  assert "radius (px)  unbroken  SSIM  PSNR (dB)" in result.stdout
  assert "2 pictures could not be read" in result.stdout
  assert len(json.loads((tmp_path / "sweep" / "sweep.json").read_text())["sweeps"][0]["levels"]) == 3


@pytest.mark.slow
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
  ],
)
def test_wrong_words_get_one_clear_line(arguments, message):
  _assert_one_line(_run("train", *arguments), message)


@pytest.mark.slow
@pytest.mark.parametrize(
  ("script", "arguments", "message"),
  [
    ("evaluate", ["--data", "samples"], "the following arguments are required: --checkpoint, --output; see --help"),
    ("evaluate", ["--workers", "-1"], "argument --workers: expected a whole number of at least 0, got '-1'"),
    ("evaluate", ["--checkpoint", "/x", "--data", "samples", "--output", "/tmp"], "checkpoint /x: does not exist"),
    ("sweep", ["--checkpoint", "/x", "--data", "samples"], "required: --distortion, --output; see --help"),
    ("sweep", [*_SWEEP, "--distortion", "blur"], "distortion: 'blur' is not one of gaussian_blur"),
    ("sweep", [*_SWEEP, "--distortion", "jpeg", "--levels", "1:2"], "levels '1:2': expected START:STOP:COUNT"),
    ("sweep", [*_SWEEP, "--distortion", "jpeg", "--levels", "1", "--levels", "2"], "2 given for 1 distortions"),
    ("sweep", [*_SWEEP, "--distortion", "jpeg"], "checkpoint /x: does not exist"),
    ("evaluate", ["--output", "README.md"], "argument --output: README.md is a file; give a folder, or a name"),
    ("sweep", ["--output", "README.md/below"], "argument --output: README.md is a file; give a folder, or a name"),
    ("compare", ["/x", "--output", "README.md"], "argument --output: README.md is a file"),
    ("compare", ["/x"], "/x: does not exist; give a folder that evaluate.py wrote, or a run's"),
    ("compare", [], "the following arguments are required: folders; see --help"),
    ("benchmark", ["distortion"], "invalid choice: 'distortion' (choose from"),
    ("benchmark", ["training", "--config", "README.md"], "README.md: cannot be used as a config"),
    ("benchmark", ["distortions", "--size", "none"], "argument --size: expected a whole number of at least 1"),
    ("benchmark", ["distortions", "--jhlabs", "/x.jar"], "--jhlabs /x.jar: no such file"),
    ("benchmark", ["input"], "the following arguments are required: --data; see --help"),
    ("benchmark", ["input", "--data", "samples", "--seconds", "-1"], "--seconds: expected a number of at least 0"),
    ("benchmark", ["inference", "--checkpoint", "/x"], "checkpoint /x: does not exist"),
    ("benchmark", ["inference", "--config", "configs/none.py"], "configs/none.py: no such file"),
    ("benchmark", ["training", "--config", _TINY, "--against-full"], "compact: has no frozen base"),
  ],
)
def test_wrong_arguments_get_one_clear_line(script, arguments, message):
  _assert_one_line(_run(script, *arguments), message)


def _assert_one_line(result, message):
  assert result.returncode == 1
  assert result.stderr.startswith("error: ")
  assert message in result.stderr
  assert result.stderr.count("\n") == 1


@pytest.mark.slow
def test_benchmarks_of_networks(unbroken, folder_of_photographs, tmp_path):
  """That they run and write their rows, on a network that was trained; tests/benchmarking has the others."""
  rows = tmp_path / "new" / "rows.json"
  common = ("--checkpoint", unbroken[0], "--batch-size", 16, "--seconds", 0, "--json", rows)
  result = _run("benchmark", "sweep", *common, "--data", f"folder:{folder_of_photographs}", "--levels", "1,5")
  assert result.returncode == 0, result.stderr
  (row,) = json.loads(rows.read_text())
  assert {"op_seconds", "similarity_seconds", "network_seconds", "sweep_of_parts"} <= set(row)
  result = _run("benchmark", "inference", *common)
  assert result.returncode == 0, result.stderr
  assert [row["op"] for row in json.loads(rows.read_text())] == [
    "answers of compact",
    "answers of compact behind the JPEG step",
  ]


@pytest.mark.slow
def test_importing_the_package_loads_nothing_heavy():
  code = "import sys, jaxdistort; sys.exit(any(m in sys.modules for m in ('jax', 'flax', 'grain', 'matplotlib')))"
  assert subprocess.run([sys.executable, "-c", code], cwd=_ROOT, check=False).returncode == 0
