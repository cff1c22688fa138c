"""Prepared pictures: the same as without, whatever stops the preparation or changes the source."""

import functools
import os
import pickle
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image

from jaxdistort.data import (
  BrokenPicture,
  load_elements,
  open_pictures,
  parse_sources,
  preparing,
  shards,
  standardise,
  training_batches,
)
from jaxdistort.data.pictures import training_side
from jaxdistort.errors import InputError
from jaxdistort.runtime.mesh import create_mesh
from tests.data.heard import Heard

_SIZE = 28  # training pictures at 32


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
  monkeypatch.setattr(preparing, "_PICTURES_A_SHARD", 8)


def _prepare(folder, output, **options):
  options.setdefault("image_size", _SIZE)
  options.setdefault("workers", 0)
  return preparing.prepare(f"folder:{folder}", Path(output), **options)


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


@pytest.mark.long
@pytest.mark.parametrize("kind", ["folder", "samples"])
def test_prepared_pictures_are_those_of_the_source(kind, folder_of_photographs, tmp_path):
  spec = f"folder:{folder_of_photographs}" if kind == "folder" else kind
  preparing.prepare(spec, tmp_path / "new" / "prepared", image_size=_SIZE, workers=0)
  for split, side in (("train", training_side(_SIZE)), ("validation", _SIZE), ("test", _SIZE)):
    direct, ours = (open_pictures(s, split) for s in (spec, f"prepared:{tmp_path}/new/prepared"))
    assert ours.fingerprint() == direct.fingerprint()
    np.testing.assert_array_equal(ours.members[0], direct.members[0])
    np.testing.assert_array_equal(ours.originals(), direct.originals())
    for number in range(0, len(direct), 20 if kind == "samples" else 1):
      assert ours.name(number) == direct.name(number)
      assert _outcome(ours, number, side) == _outcome(direct, number, side)


def test_larger_pictures_are_shrunk_and_smaller_ones_refused(folder_of_photographs, prepared):
  pictures = open_pictures(f"prepared:{prepared}", "train")
  stored = Image.fromarray(pictures.load(3, 32))
  np.testing.assert_array_equal(pictures.load(3, 20), standardise(stored, 20))
  with pytest.raises(InputError, match=r"at 32 px, 64 px are asked for; prepare folder:.* in it again at 56 px$"):
    pictures.load(3, 64)
  for size in (48, 96, 224, 384, 500):
    with pytest.raises(InputError, match=f"in it again at {size} px$"):
      pictures.load(3, training_side(size))
  _prepare(folder_of_photographs, prepared, augment=False)
  pictures = open_pictures(f"prepared:{prepared}", "train")
  direct = open_pictures(f"folder:{folder_of_photographs}", "train")
  np.testing.assert_array_equal(pictures.load(3, _SIZE), direct.load(3, _SIZE))
  with pytest.raises(InputError, match=r"at 28 px, 32 px are asked for; .* at 32 px without augmentation$"):
    pictures.load(3, 32)


@pytest.mark.long
def test_workers_change_nothing(folder_of_photographs, prepared, tmp_path):
  _prepare(folder_of_photographs, tmp_path / "other", workers=1)
  assert _contents(tmp_path / "other") == _contents(prepared)
  source = open_pictures(f"prepared:{prepared}", "all").sources[0].source
  assert len(pickle.dumps(source)) < 1000
  with load_elements(range(len(source)), functools.partial(_outcome, source, size=_SIZE), workers=1) as outcomes:
    assert list(outcomes) == [_outcome(source, i, _SIZE) for i in range(len(source))]


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
  with pytest.raises(InputError, match=f"prepared:{other}: unfinished; prepare folder:.* in it again at 28 px$"):
    parse_sources(f"prepared:{other}")
  assert _prepare(folder_of_photographs, other).made == 5 - moment
  assert _contents(other) == _contents(prepared)
  assert _prepare(folder_of_photographs, other).made == 0


def test_killed_within_a_shard_it_leaves_no_part_of_it(folder_of_photographs, tmp_path, monkeypatch):
  load = preparing._load
  monkeypatch.setattr(preparing, "_load", lambda source, element: load(source, element) if element[0] < 20 else 1 / 0)
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
def test_a_changed_source_is_reported_once_and_mended(change, folder_of_photographs, prepared):
  _edit(folder_of_photographs, change)
  what, heard = "1 changed" if change == "touched" else f"1 {change}", Heard()
  for split in ("train", "test"):
    open_pictures(f"prepared:{prepared}", split, progress=heard)
  (line,) = heard.lines
  assert line.startswith(f"{folder_of_photographs}: {what} since it was prepared in {prepared}; prepare folder:")

  heard = Heard()
  done = _prepare(folder_of_photographs, prepared, progress=heard)
  assert done.made < done.shards
  assert heard.lines[0] == f"{what} since {prepared} was prepared"
  assert heard.lines[1] == f"{5 - done.made} of 5 shards are there, {done.made} are to be made"
  ((title, unit, count, total),) = heard.bars
  assert (title, unit, count) == ("preparing", "picture", total)
  heard = Heard()
  for split, side in (("train", 32), ("validation", _SIZE), ("test", _SIZE)):
    direct, ours = (open_pictures(s, split, heard) for s in (f"folder:{folder_of_photographs}", f"prepared:{prepared}"))
    assert [ours.name(i) for i in range(len(ours))] == [direct.name(i) for i in range(len(direct))]
    assert [_outcome(ours, i, side) for i in range(len(ours))] == [_outcome(direct, i, side) for i in range(len(ours))]
  assert not heard.lines


def test_another_size_is_made_anew(folder_of_photographs, prepared):
  heard = Heard()
  assert _prepare(folder_of_photographs, prepared, image_size=21, progress=heard).made == 5
  assert "40 changed" in heard.lines[0]
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
  with pytest.raises(InputError, match=r"cannot be read .* prepare it anew|damaged .*; prepare folder:"):
    [_outcome(open_pictures(f"prepared:{prepared}", "all"), i, _SIZE) for i in range(40)]
  if damage == "settings":
    with pytest.raises(InputError, match="prepare it anew"):
      _prepare(folder_of_photographs, prepared)
    return
  if damage in ("bits", "index"):
    (prepared / name).unlink()
  assert _prepare(folder_of_photographs, prepared).made == (0 if damage == "index" else 1)
  assert _contents(prepared) == whole


def test_a_moved_folder_stands_alone(folder_of_photographs, prepared, tmp_path):
  shutil.move(prepared, tmp_path / "moved")
  shutil.rmtree(folder_of_photographs)
  heard = Heard()
  pictures = open_pictures(f"0.9*prepared:{tmp_path}/moved+0.1*samples", "train", heard)
  assert pictures.name(0).startswith(folder_of_photographs)
  assert pictures.load(3, 32).shape == (32, 32, 3)
  assert not heard.lines


def test_a_source_that_moved_is_the_same_one(folder_of_photographs, prepared, tmp_path):
  before = open_pictures(f"prepared:{prepared}", "all")
  fingerprint, position = before.fingerprint(), [before.short_name(i) for i in range(40)].index("photo_05.png")
  os.rename(folder_of_photographs, tmp_path / "moved")
  heard = Heard()
  assert _prepare(tmp_path / "moved", prepared, progress=heard).made == 0
  after = open_pictures(f"prepared:{prepared}", "all", heard)
  assert after.fingerprint() == fingerprint
  assert after.name(position) == str(tmp_path / "moved" / "photo_05.png")
  assert not heard.lines
  os.rename(tmp_path / "moved" / "photo_05.png", tmp_path / "moved" / "renamed.png")
  assert _prepare(tmp_path / "moved", prepared, progress=heard).made == 1
  assert heard.lines[0].startswith("1 added, 1 removed since")
  with pytest.raises(InputError, match="holds the pictures of folder:"):
    _prepare(tmp_path / "moved" / "more", prepared)


def test_names_of_any_bytes(folder_of_photographs, tmp_path):
  odd = os.fsencode(folder_of_photographs) + b'/\xff, "\n\xc3\xa9.png'
  os.rename(os.fsencode(folder_of_photographs) + b"/photo_05.png", odd)
  _prepare(folder_of_photographs, tmp_path / "prepared")
  assert _prepare(folder_of_photographs, tmp_path / "prepared").made == 0
  pictures = open_pictures(f"prepared:{tmp_path}/prepared", "all")
  names = [pictures.name(i) for i in range(40)]
  number = names.index(os.fsdecode(odd))
  np.testing.assert_array_equal(pictures.load(number, _SIZE).shape, (_SIZE, _SIZE, 3))


def test_a_run_may_go_on_with_prepared_pictures(folder_of_photographs, prepared):
  """Its pictures are those of the source, in the same order."""
  sources = f"folder:{folder_of_photographs}", f"prepared:{prepared}"
  direct, ours = (open_pictures(source, "train") for source in sources)
  assert direct.fingerprint() == ours.fingerprint() != open_pictures("samples", "train").fingerprint()
  batches = []
  for pictures in (direct, ours):
    mesh, order = create_mesh(devices=jax.devices()[:1]), pictures.order(3)
    with training_batches(pictures, order, side=training_side(_SIZE), batch_size=16, mesh=mesh, workers=0) as stream:
      batches.append([jax.tree.map(np.asarray, next(stream)) for _ in range(3)])
  jax.tree.map(np.testing.assert_array_equal, *batches)


@pytest.mark.parametrize(
  ("data", "message"),
  [
    ("samples+synthetic", "a mix cannot be prepared; prepare each source on its own"),
    ("folder:/nowhere", "folder:/nowhere does not exist"),
    ("prepared:/nowhere", "prepared:/nowhere: holds no prepared pictures"),
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
  with pytest.raises(InputError, match=r"holds no prepared pictures"):
    parse_sources(f"prepared:{folder_of_photographs}")


def test_a_full_disk_is_told_in_the_system_s_words(folder_of_photographs, tmp_path, monkeypatch):
  class Full(shards.ArrayRecordWriter):
    def write(self, content):
      raise RuntimeError("write() failed: No space left on device; writing a file")

    def ok(self):
      return False

  monkeypatch.setattr(shards, "ArrayRecordWriter", Full)
  with pytest.raises(OSError, match=r"shard-00000.array_record cannot be written: .*No space left on device$"):
    _prepare(folder_of_photographs, tmp_path / "prepared")
