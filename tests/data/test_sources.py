"""Sources, mixes and splits."""

import collections
import os
import re

import numpy as np
import pytest
from PIL import Image

from jaxdistort.data import (
  SOURCES,
  SPLITS,
  BrokenPicture,
  BrokenPictures,
  DeadLeaves,
  Folder,
  SamplePhotographs,
  Source,
  describe_sources,
  open_pictures,
  parse_sources,
  register_source,
  split_of,
)
from jaxdistort.errors import InputError, NothingReadable


def test_a_folder_holds_its_pictures_and_nothing_else(folder_of_photographs):
  os.mkdir(os.path.join(folder_of_photographs, ".thumbnails"))
  for name in (".thumbnails/small.png", "._photo_00.png", "README", "upper.PNG"):
    with open(os.path.join(folder_of_photographs, name), "wb") as file:
      file.write(b"x")
  folder = Folder(folder_of_photographs)
  names = [folder.short_name(i) for i in range(len(folder))]
  assert len(names) == 41  # 38 pictures, 2 broken ones, upper.PNG
  assert "more/photo_37.png" in names
  assert "upper.PNG" in names
  assert len(set(names)) == 41
  assert folder.load(names.index("photo_05.png"), 32).shape == (32, 32, 3)
  with pytest.raises(BrokenPicture, match="empty"):
    folder.load(names.index("empty.jpg"), 32)


@pytest.mark.parametrize(
  ("spec", "message"),
  [
    ("folder:/does/not/exist", "does not exist"),
    ("folder:", "expected cuts:PATH, folder:PATH"),
    ("photos", "expected cuts:PATH, folder:PATH"),
    ("sample", "expected cuts:PATH, folder:PATH"),
    ("samples:", "expected cuts:PATH, folder:PATH"),
    ("0*samples", "weight must be above 0"),
    ("samples+nonsense", "expected cuts:PATH, folder:PATH"),
    ("tfds:", "expected cuts:PATH, folder:PATH"),
  ],
)
def test_what_is_no_source_is_named(spec, message):
  with pytest.raises(InputError, match=message):
    parse_sources(spec)


class _Flat(Source):
  """Pictures of one grey level each."""

  def __init__(self, count):
    self.count = int(count)

  def __len__(self):
    return self.count

  def __repr__(self):
    return f"flat:{self.count}"

  def name(self, index):
    return f"{self!r}#{index}"

  original = name

  def load(self, index, size):
    return np.full((size, size, 3), index, np.uint8)


def test_a_new_source_is_one_registration():
  before = describe_sources()
  register_source("flat", _Flat, "pictures of one grey level", "COUNT")
  try:
    assert "cuts:PATH, flat:COUNT, folder:PATH" in describe_sources()
    assert re.search(r"^flat:COUNT +pictures of one grey level$", describe_sources(explained=True), re.MULTILINE)
    pictures = open_pictures("0.5*samples+2*flat:9+synthetic", "all")
    assert repr(pictures.sources[1]) == "WeightedSource(source=flat:9, weight=2.0)"
    assert pictures.load(len(pictures.members[0]) + 4, 32)[0, 0, 0] == 4
    assert sum(len(open_pictures("flat:9", split)) for split in SPLITS) == 9
    with pytest.raises(ValueError, match="'flat' is registered already"):
      register_source("flat", _Flat, "again")
  finally:
    SOURCES.unregister("flat")
  assert describe_sources() == before
  with pytest.raises(InputError, match="data source 'flat:9': expected cuts:PATH, folder:PATH"):
    parse_sources("flat:9")


def test_cuts_are_native_pixels_and_halves_of_them(tmp_path):
  rng = np.random.default_rng(0)
  for number in range(3):
    side = 40 if number == 2 else 150
    Image.fromarray(rng.integers(0, 256, (side, side, 3), np.uint8)).save(tmp_path / f"{number}.png")
  cuts = parse_sources(f"cuts:{tmp_path}")[0].source
  assert len(cuts) == 24
  assert len({cuts.original(i) for i in range(24)}) == 3
  assert {cuts.file(i) for i in range(8)} == {cuts.file(0)}
  assert len({cuts.name(i) for i in range(24)}) == 24
  for number in range(24):
    square, pixels = cuts.load(number, 64), np.asarray(Image.open(cuts.file(number)))
    assert square.shape == (64, 64, 3)
    np.testing.assert_array_equal(square, cuts.load(number, 64))
    if len(pixels) == 150 and number % 2 == 0:
      windows = np.lib.stride_tricks.sliding_window_view(pixels[..., 0], (64, 64))
      assert (windows == square[..., 0]).all((2, 3)).any()
  assert not set(cuts.members("test") // 8) & set(cuts.members("train") // 8)


def test_a_folder_without_pictures_is_named(tmp_path):
  (tmp_path / "file.txt").write_text("x")
  with pytest.raises(InputError, match="no picture in"):
    parse_sources(f"folder:{tmp_path}")
  with pytest.raises(InputError, match="is a file, not a folder"):
    parse_sources(f"folder:{tmp_path / 'file.txt'}")


def test_mixes(folder_of_photographs, tmp_path):
  odd = tmp_path / "a+b, 2*c"
  os.rename(folder_of_photographs, odd)
  mix = parse_sources(f"0.5*samples+2*folder:{odd}+synthetic")
  assert [w.weight for w in mix] == [0.5, 2, 1]
  assert repr(mix[1].source) == f"folder:{odd}"
  assert [type(w.source) for w in mix] == [SamplePhotographs, Folder, DeadLeaves]


@pytest.mark.parametrize("source", [SamplePhotographs(), DeadLeaves()])
def test_embedded_sources_are_repeatable(source):
  for index in (0, len(source) - 1):
    first = source.load(index, 32)
    assert first.shape == (32, 32, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, source.load(index, 32))
  assert len({source.load(i, 32).tobytes() for i in range(10)}) == 10


def test_views_of_a_sample_have_one_original():
  samples = SamplePhotographs()
  originals = collections.Counter(samples.original(i) for i in range(len(samples)))
  assert originals["samples/astronaut"] == samples.VIEWS
  assert originals["samples/motorcycle"] == 2 * samples.VIEWS  # two eyes, one scene


def test_splits_follow_the_paper_s_shares_and_names_alone():
  names = [f"photo_{i}.jpg" for i in range(20_000)]
  split = split_of(names)
  counts = collections.Counter(split.values())
  assert abs(counts["validation"] / 20_000 - 0.025) < 0.004
  assert abs(counts["test"] / 20_000 - 0.025) < 0.004
  fewer = split_of(names[::2])
  assert all(split[name] == place for name, place in fewer.items())


def test_small_sets_have_every_split():
  assert sorted(split_of(["a", "b", "c"]).values()) == sorted(SPLITS)
  with pytest.raises(InputError, match="at least 3 different pictures, found 2"):
    split_of(["a", "b", "a"])


def test_every_set_of_three_or_more_has_every_split():
  rng = np.random.default_rng(0)
  for count in (3, 4, 5, 8, 20, 40):
    for _ in range(300):
      split = split_of(f"{name}.png" for name in rng.choice(10**6, count, replace=False))
      assert set(split.values()) == set(SPLITS)


def test_links_to_folders_are_followed_once(folder_of_photographs, tmp_path):
  elsewhere = tmp_path / "elsewhere"
  elsewhere.mkdir()
  Image.new("RGB", (40, 40)).save(elsewhere / "linked.png")
  os.symlink(elsewhere, os.path.join(folder_of_photographs, "link"))
  os.symlink(folder_of_photographs, os.path.join(folder_of_photographs, "loop"))
  folder = Folder(folder_of_photographs)
  assert len(folder) == 41
  assert "link/linked.png" in [folder.short_name(i) for i in range(len(folder))]
  os.symlink(folder_of_photographs, tmp_path / "same")
  assert repr(Folder(f"{tmp_path}/same/")) == repr(folder)


def test_splits_part_the_pictures(folder_of_photographs):
  sets = {split: open_pictures(f"folder:{folder_of_photographs}+samples", split) for split in (*SPLITS, "all")}
  names = {split: {pictures.name(i) for i in range(len(pictures))} for split, pictures in sets.items()}
  assert set.union(*(names[s] for s in SPLITS)) == names["all"]
  assert sum(len(names[s]) for s in SPLITS) == len(names["all"]) == 40 + len(SamplePhotographs())
  with pytest.raises(InputError, match="did you mean 'validation'"):
    open_pictures("samples", "validatio")


def test_broken_pictures_are_replaced_and_listed(folder_of_photographs, tmp_path):
  pictures = open_pictures(f"folder:{folder_of_photographs}", "all")
  names = [os.path.basename(pictures.name(i)) for i in range(len(pictures))]
  empty = names.index("empty.jpg")
  image, broken = pictures.load_or_other(empty, 32)
  assert broken == empty
  assert any(np.array_equal(image, pictures.load(i, 32)) for i, name in enumerate(names) if name.startswith("photo"))
  assert pictures.load_or_other(empty + 1, 32)[1] == -1

  report = BrokenPictures(tmp_path / "broken.jsonl", 32)
  assert len(report) == 0
  assert not report.path.exists()
  none = np.array([], int)
  report.add(pictures, np.array([empty, names.index("truncated.png"), empty]), none)
  assert len(BrokenPictures(tmp_path / "broken.jsonl", 32)) == len(report) == 2
  assert "empty file" in report.path.read_text()

  whole = report.path.read_text()
  report.path.write_text(whole[:-20])  # a crash cut the last row short
  again = BrokenPictures(report.path, 32)
  assert len(again) == 1
  again.add(pictures, np.array([empty, names.index("truncated.png")]), none)
  assert sorted(report.path.read_text().splitlines()) == sorted(whole.splitlines())


def test_a_folder_of_nothing_but_broken_pictures_is_named(tmp_path):
  for i in range(4):
    (tmp_path / f"{i}.jpg").touch()
  with pytest.raises(NothingReadable, match=r"none of its 4 pictures here can be read \(.*0.jpg: empty file"):
    open_pictures(f"folder:{tmp_path}", "all").load_or_other(0, 32)
