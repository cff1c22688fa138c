"""Prepared pictures: the same as without, whatever stops the preparation or changes the source."""

import os
import pickle
import shutil
from pathlib import Path

import grain
import numpy as np
import pytest
from PIL import Image

from jaxdistort.data import BrokenPicture, open_pictures, parse_sources, preparing
from jaxdistort.data.loading import read_ahead
from jaxdistort.data.pictures import standardise, training_side
from jaxdistort.errors import InputError
from jaxdistort.training import train
from tests.training.tiny import get_config

_SIZE = 28  # training pictures at 32


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
  monkeypatch.setattr(preparing, "_PICTURES_A_SHARD", 8)


def _prepare(folder, output, **options):
  return preparing.prepare(f"folder:{folder}", Path(output), **{"image_size": _SIZE, "workers": 0} | options)


@pytest.fixture
def prepared(folder_of_photographs, tmp_path):
  done = _prepare(folder_of_photographs, tmp_path / "prepared")
  assert done[:4] == (40, 2, 5, 5)
  return tmp_path / "prepared"


def _contents(folder):
  """What the files say, but for the archive's times."""
  contents = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix != ".npz"}
  with np.load(folder / "index.npz") as index:
    return contents | {name: index[name].tobytes() for name in index.files}


def _outcome(source, index, size):
  try:
    return source.load(index, size).tobytes()
  except BrokenPicture as error:
    return str(error)


@pytest.mark.parametrize("kind", ["folder", "samples"])
def test_prepared_pictures_are_those_of_the_source(kind, folder_of_photographs, tmp_path):
  spec = f"folder:{folder_of_photographs}" if kind == "folder" else kind
  preparing.prepare(spec, tmp_path / "new" / "prepared", image_size=_SIZE, workers=0)
  for split, side in (("train", training_side(_SIZE)), ("validation", _SIZE), ("test", _SIZE)):
    direct, ours = (open_pictures(s, split) for s in (spec, f"prepared:{tmp_path}/new/prepared"))
    assert repr(ours) == repr(direct)
    np.testing.assert_array_equal(ours.members[0], direct.members[0])
    np.testing.assert_array_equal(ours.originals(), direct.originals())
    for number in range(0, len(direct), 20 if kind == "samples" else 1):
      assert ours.name(number) == direct.name(number)
      assert _outcome(ours, number, side) == _outcome(direct, number, side)


def test_larger_pictures_are_shrunk_and_smaller_ones_refused(folder_of_photographs, prepared):
  pictures = open_pictures(f"prepared:{prepared}", "train")
  stored = Image.fromarray(pictures.load(3, 32))
  np.testing.assert_array_equal(pictures.load(3, 20), standardise(stored, 20))
  with pytest.raises(InputError, match=r"at 32 px, 64 px are asked for; run python scripts/prepare.py .*-size 56"):
    pictures.load(3, 64)
  for size in (48, 96, 224, 384, 500):
    with pytest.raises(InputError, match=f"--image-size {size}$"):
      pictures.load(3, training_side(size))
  _prepare(folder_of_photographs, prepared, augment=False)
  pictures = open_pictures(f"prepared:{prepared}", "train")
  direct = open_pictures(f"folder:{folder_of_photographs}", "train")
  np.testing.assert_array_equal(pictures.load(3, _SIZE), direct.load(3, _SIZE))
  with pytest.raises(InputError, match=r"at 28 px, 32 px are asked for; run .* --image-size 32 --no-augment"):
    pictures.load(3, 32)


@pytest.mark.slow
def test_workers_change_nothing(folder_of_photographs, prepared, tmp_path):
  _prepare(folder_of_photographs, tmp_path / "other", workers=2)
  assert _contents(tmp_path / "other") == _contents(prepared)
  source = open_pictures(f"prepared:{prepared}", "all").sources[0].source
  assert len(pickle.dumps(source)) < 1000
  pictures = grain.MapDataset.range(len(source)).map(_Outcome(source))
  with read_ahead(pictures, 1, lambda element: element) as outcomes:
    assert list(outcomes) == [_outcome(source, i, _SIZE) for i in range(len(source))]


class _Outcome(grain.transforms.Map):
  def __init__(self, source):
    self.source = source

  def map(self, element):
    return _outcome(self.source, element, _SIZE)


class _Killed(BaseException):
  pass


@pytest.mark.parametrize("moment", [0, 1, 2, 4, 5])
def test_killed_at_any_shard_it_goes_on_there(moment, folder_of_photographs, prepared, tmp_path, monkeypatch):
  """Killed when the shard's file is there and its table is not; at 5, before the index."""
  other, made = tmp_path / "other", []
  write_table = preparing.write_table

  def die(path, rows):
    if len(made) == moment:
      raise _Killed
    made.append(path)
    write_table(path, rows)

  monkeypatch.setattr(preparing, "write_table", die)
  if moment == 5:
    monkeypatch.setattr(preparing._Plan, "finish", lambda plan, output, made: (_ for _ in ()).throw(_Killed))
  with pytest.raises(_Killed):
    _prepare(folder_of_photographs, other)
  monkeypatch.undo()
  with pytest.raises(InputError, match=f"prepared:{other}: unfinished; run python scripts/prepare.py --data folder:"):
    parse_sources(f"prepared:{other}")
  assert _prepare(folder_of_photographs, other).made == 5 - moment
  assert _contents(other) == _contents(prepared)
  assert _prepare(folder_of_photographs, other).made == 0


def test_killed_within_a_shard_it_leaves_no_part_of_it(folder_of_photographs, tmp_path, monkeypatch):
  load = preparing._Standardise.map
  monkeypatch.setattr(preparing._Standardise, "map", lambda self, n: load(self, n) if n < 20 else 1 / 0)
  with pytest.raises(ZeroDivisionError):
    _prepare(folder_of_photographs, tmp_path / "prepared")
  assert not list((tmp_path / "prepared").glob("*.partial"))


def _edit(folder, change):
  folder = Path(folder)
  if change == "added":
    shutil.copy(folder / "photo_05.png", folder / "aaa.png")
  elif change == "removed":
    (folder / "photo_07.png").unlink()
  elif change == "changed":
    Image.fromarray(np.full((40, 40, 3), 90, np.uint8)).save(folder / "photo_09.png")
  else:  # only its time says so
    os.utime(folder / "photo_09.png", ns=(1, 1))


@pytest.mark.parametrize("change", ["added", "removed", "changed", "touched"])
def test_a_changed_source_is_told_and_mended(change, folder_of_photographs, prepared, tmp_path, capsys):
  _edit(folder_of_photographs, change)
  capsys.readouterr()
  told = "1 changed" if change == "touched" else f"1 {change}"
  for split in ("train", "test"):
    open_pictures(f"prepared:{prepared}", split)
  errors = capsys.readouterr().err
  assert errors.startswith(f"{folder_of_photographs}: {told} since it was prepared; python scripts/prepare.py --data ")
  assert errors.count("\n") == 1

  done = _prepare(folder_of_photographs, prepared)
  assert done.made < done.shards
  assert told in capsys.readouterr().out
  for split, side in (("train", 32), ("validation", _SIZE), ("test", _SIZE)):
    direct, ours = (open_pictures(s, split) for s in (f"folder:{folder_of_photographs}", f"prepared:{prepared}"))
    assert [ours.name(i) for i in range(len(ours))] == [direct.name(i) for i in range(len(direct))]
    assert [_outcome(ours, i, side) for i in range(len(ours))] == [_outcome(direct, i, side) for i in range(len(ours))]
  assert "since" not in capsys.readouterr().err


def test_another_size_is_made_anew(folder_of_photographs, prepared, capsys):
  assert _prepare(folder_of_photographs, prepared, image_size=21).made == 5
  assert "40 changed" in capsys.readouterr().out
  assert open_pictures(f"prepared:{prepared}", "test").load(0, 21).shape == (21, 21, 3)


@pytest.mark.parametrize("damage", ["gone", "cut", "settings", "index", "bits"])
def test_damage_is_told_and_mended(damage, folder_of_photographs, prepared):
  whole = _contents(prepared)
  name = {"settings": "prepared.json", "index": "index.npz"}.get(damage, "shard-00002.array_record")
  content = (prepared / name).read_bytes()
  middle = len(content) // 2 if damage != "bits" else 12_000
  (prepared / name).write_bytes(content[:middle] + (b"x" * 9 + content[middle + 9 :] if damage == "bits" else b""))
  if damage == "gone":
    (prepared / name).unlink()
  with pytest.raises(InputError, match=r"cannot be read .* prepare it anew|damaged .*; run python scripts/prepare.py"):
    [_outcome(open_pictures(f"prepared:{prepared}", "all"), i, _SIZE) for i in range(40)]
  if damage == "settings":
    with pytest.raises(InputError, match="prepare it anew"):
      _prepare(folder_of_photographs, prepared)
    return
  if damage in ("bits", "index"):
    (prepared / name).unlink()
  assert _prepare(folder_of_photographs, prepared).made == (0 if damage == "index" else 1)
  assert _contents(prepared) == whole


def test_a_moved_folder_stands_alone(folder_of_photographs, prepared, tmp_path, capsys):
  shutil.move(prepared, tmp_path / "moved")
  source = f"folder:{folder_of_photographs}"
  shutil.rmtree(folder_of_photographs)
  pictures = open_pictures(f"0.9*prepared:{tmp_path}/moved+0.1*samples", "train")
  assert f"0.9*{source}[" in repr(pictures)
  assert pictures.load(3, 32).shape == (32, 32, 3)
  assert "since" not in capsys.readouterr().err


def test_names_of_any_bytes(folder_of_photographs, tmp_path):
  odd = os.fsencode(folder_of_photographs) + b'/\xff, "\n\xc3\xa9.png'
  os.rename(os.fsencode(folder_of_photographs) + b"/photo_05.png", odd)
  _prepare(folder_of_photographs, tmp_path / "prepared")
  assert _prepare(folder_of_photographs, tmp_path / "prepared").made == 0
  pictures = open_pictures(f"prepared:{tmp_path}/prepared", "all")
  names = [pictures.name(i) for i in range(40)]
  number = names.index(os.fsdecode(odd))
  np.testing.assert_array_equal(pictures.load(number, _SIZE).shape, (_SIZE, _SIZE, 3))


@pytest.mark.slow
def test_a_run_is_the_same_from_prepared_pictures_and_may_go_on_with_them(folder_of_photographs, tmp_path):
  _prepare(folder_of_photographs, tmp_path / "prepared", image_size=32)
  sources = {"direct": f"folder:{folder_of_photographs}", "prepared": f"prepared:{tmp_path}/prepared"}

  def run(name, source, steps):
    config = get_config()
    config.data.source, config.model.name, config.steps = sources[source], "softmax", steps
    reports = train(config, tmp_path / name)
    return [(report["loss"], report["confusion_matrix"]) for report in reports.values()]

  direct = run("direct", "direct", 4)
  assert run("prepared", "prepared", 4) == direct
  run("both", "direct", 2)
  assert run("both", "prepared", 4) == direct


@pytest.mark.parametrize(
  ("data", "message"),
  [
    ("samples+synthetic", "a mix cannot be prepared; prepare each source on its own"),
    ("folder:/nowhere", "/nowhere does not exist"),
    ("prepared:/nowhere", "/nowhere was not made by scripts/prepare.py"),
  ],
)
def test_what_cannot_be_prepared_is_named(data, message, tmp_path):
  with pytest.raises(InputError, match=message):
    preparing.prepare(data, tmp_path / "new")
  assert not (tmp_path / "new").exists()


def test_folders_that_hold_something_else_are_refused(folder_of_photographs, prepared, tmp_path):
  with pytest.raises(InputError, match="is prepared already"):
    preparing.prepare(f"prepared:{prepared}", tmp_path / "new")
  with pytest.raises(InputError, match=f"{folder_of_photographs}: is no empty folder"):
    _prepare(folder_of_photographs, folder_of_photographs)
  with pytest.raises(InputError, match=r"holds the pictures of folder:.*, not of samples; give another"):
    preparing.prepare("samples", prepared)
  with pytest.raises(InputError, match=r"was not made by scripts/prepare.py"):
    parse_sources(f"prepared:{folder_of_photographs}")


def test_a_full_disk_is_told_in_the_system_s_words(folder_of_photographs, tmp_path, monkeypatch):
  class Full(preparing.ArrayRecordWriter):
    def write(self, content):
      raise RuntimeError("write() failed: No space left on device; writing a file")

    def ok(self):
      return False

  monkeypatch.setattr(preparing, "ArrayRecordWriter", Full)
  with pytest.raises(OSError, match=r"shard-00000.array_record cannot be written: .*No space left on device$"):
    _prepare(folder_of_photographs, tmp_path / "prepared")
