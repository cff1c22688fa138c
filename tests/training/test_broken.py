"""Runs on broken pictures, on damaged checkpoints and records: they go on, or say what to do."""

import errno
import json
import shutil
import sys
from pathlib import Path

import jax.numpy as jnp
import pytest

import jaxdistort
from jaxdistort.data import open_pictures
from jaxdistort.errors import InputError, NothingReadable
from jaxdistort.inference.runs import check_figures, damage_reported
from jaxdistort.progress import Progress
from jaxdistort.training import train
from jaxdistort.training.checkpoints import Checkpoints, read_kept
from jaxdistort.training.records import Metrics
from jaxdistort.training.resuming import settle
from tests.training.tiny import get_config, save_untrained


class _Listener(Progress):
  def __init__(self):
    self.said = []

  def tell(self, text):
    self.said.append(text)


def _spoil(folder, *splits):
  """Breaks the head of PNG files alone: what is behind it says which picture it is, and so its split."""
  for split in splits:
    pictures = open_pictures(f"folder:{folder}", split)
    for number in range(len(pictures)):
      path = Path(pictures.name(number))
      content = path.read_bytes()
      path.write_bytes(content[:12] + bytes(len(content[12:29])) + content[29:])


def _config(folder):
  config = get_config()
  config.data.source, config.model.name, config.steps, config.evaluate_every = f"folder:{folder}", "softmax", 2, 1
  return config


@pytest.mark.long
def test_a_run_goes_on_without_a_picture_to_judge_it_by(folder_of_photographs, tmp_path, monkeypatch):
  """What was learnt is kept, the reports are left out, and come with the pictures."""
  for draws in ("draw_grid", "write_evaluation"):  # which takes seconds
    monkeypatch.setattr(_module(), draws, lambda *given: None)
  config, workdir, listener = _config(folder_of_photographs), tmp_path / "run", _Listener()
  contents = {path: path.read_bytes() for path in Path(folder_of_photographs).rglob("*.*")}
  _spoil(folder_of_photographs, "validation", "test")
  assert train(config, workdir, progress=listener) == {}
  said = "\n".join(listener.said)
  none = f"data source folder:{folder_of_photographs}: none of its "
  for line in (f"validation: {none}", f"test: {none}", f"step 2: no validation: {none}", f"test: no report: {none}"):
    assert line in said
  assert jaxdistort.load(workdir).step == 2
  listed = [json.loads(row)["picture"] for row in (workdir / "broken_pictures.jsonl").read_text().splitlines()]
  for split in ("validation", "test"):
    pictures = open_pictures(f"folder:{folder_of_photographs}", split)
    assert {pictures.name(number) for number in range(len(pictures))} <= set(listed)
  for path, content in contents.items():
    path.write_bytes(content)
  assert list(train(config, workdir) or ()) == ["validation", "test"]


def _module():
  return sys.modules["jaxdistort.training.train"]


@pytest.mark.parametrize("content", [b"", b"\0", b"[]", b'{"step": 3}', None])
def test_a_run_with_a_damaged_report_is_judged_again(tmp_path, content):
  for split in ("validation", "test"):
    (tmp_path / "evaluation" / split).mkdir(parents=True)
    (tmp_path / "evaluation" / split / "report.json").write_text('{"step": 2}')
  assert _module()._finished_reports(tmp_path, 2) == {"validation": {"step": 2}, "test": {"step": 2}}
  file = tmp_path / "evaluation" / "test" / "report.json"
  if content is None:
    file.unlink()
  else:
    file.write_bytes(content)
  assert _module()._finished_reports(tmp_path, 2) is None


@pytest.mark.slow  # builds a network
def test_a_run_without_a_picture_to_learn_from_is_refused_at_once(folder_of_photographs, tmp_path):
  _spoil(folder_of_photographs, "train")
  config = _config(folder_of_photographs)
  config.data.source += "+samples"
  with pytest.raises(NothingReadable, match=f"data source folder:{folder_of_photographs}: none of its "):
    train(config, tmp_path / "run")
  assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def _validated(tmp_path_factory):
  """A run with an old checkpoint that is the best, and a new one."""
  workdir, config = tmp_path_factory.mktemp("runs") / "run", get_config()
  config.model.name = "softmax"
  state, _ = save_untrained(config, workdir)
  description, backbone = jaxdistort.load(workdir).description, None
  with Checkpoints(workdir, description, backbone) as checkpoints:
    for step, accuracy in ((2, 0.9), (3, 0.5)):
      figures = {"accuracy": accuracy, "loss": 1.0}
      checkpoints.save(
        state._replace(step=jnp.int32(step)),
        config.resolved(None),
        {"next_batch": step, "pictures": "", "seen": ""},
        figures,
      )
  return workdir


@pytest.fixture
def run(_validated, tmp_path):
  return shutil.copytree(_validated, tmp_path / "run")


def test_the_fixture_is_a_run_as_it_should_be(run):
  check_figures(run / "checkpoints")
  assert jaxdistort.load(run).step == 2
  assert read_kept(run)


@pytest.mark.parametrize("step", [2, 3])
@pytest.mark.parametrize("content", [b"", b"\0\0", b"[]", b'{"loss": 1.0}', b'{"selected": null}'])
def test_damaged_figures_of_any_checkpoint_are_named(run, step, content):
  file = run / "checkpoints" / f"{step}" / "metrics" / "metrics"
  assert json.loads(file.read_text())["selected"]
  file.write_bytes(content)
  for read in (jaxdistort.load, read_kept):
    with pytest.raises(InputError, match=f"/{step}: its figures are damaged .*; remove the folder .*metrics"):
      read(run)


def test_without_its_damaged_figures_a_checkpoint_counts_as_not_validated(run):
  folder = run / "checkpoints" / "2" / "metrics"
  for file in folder.iterdir():
    file.unlink()
  folder.rmdir()
  assert jaxdistort.load(run).step == 3
  assert jaxdistort.load(run / "checkpoints" / "2").step == 2


@pytest.mark.parametrize("item", ["description/metadata", "state/_METADATA", "state/array_metadatas/process_0"])
def test_damaged_files_of_a_checkpoint_are_named(run, item, capfd):
  (run / "checkpoints" / "2" / item).write_bytes(b"")
  with pytest.raises(InputError, match=r"checkpoint .*/2: is damaged \(.*\); give another checkpoint of the run"):
    jaxdistort.load(run)
  assert jaxdistort.load(run / "checkpoints" / "3").step == 3
  assert "Traceback" not in capfd.readouterr().err


def test_a_checkpoint_without_rights_is_not_called_damaged():
  with pytest.raises(InputError, match=r"checkpoint 7: cannot be read \(Permission denied: /x\)"), damage_reported("7"):
    raise PermissionError(errno.EACCES, "Permission denied", "/x")


@pytest.mark.parametrize("content", [b"", b"[]", b'{"data": 3}', b"\0"])
def test_a_damaged_config_is_named(run, content):
  (run / "checkpoints" / "3" / "config" / "metadata").write_bytes(content)
  with pytest.raises(InputError, match=r"is damaged \(.*\); remove .* to go on from an older one"):
    settle(get_config(), run)


def test_checkpoints_that_are_a_file_are_named(tmp_path):
  (tmp_path / "checkpoints").touch()
  with pytest.raises(InputError, match=r"checkpoints: is a file, where the checkpoints of a run should be"):
    check_figures(tmp_path / "checkpoints")


@pytest.mark.parametrize("damage", [b"", b"\0" * 50, b'{"step": "3"}\n[]\n{"loss": 1}\n\xff\n', b'{"step": 3, "lo'])
def test_metrics_go_on_behind_damaged_rows(tmp_path, damage):
  path = tmp_path / "metrics.jsonl"
  path.write_bytes(b'{"step": 1}\n' + damage + b'\n{"step": 2}\n{"step": 9}\n')
  with Metrics(tmp_path, 2) as metrics:
    metrics.write(3, {"loss": 1.0})
  assert [json.loads(row)["step"] for row in path.read_text().splitlines()] == [1, 2, 3]
