"""Which picture a file holds: the same wherever it lies and whatever it is called."""

import errno
import io
import os
import shutil
import unicodedata
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from jaxdistort.data import Folder, Seen, identity, open_pictures, open_splits
from jaxdistort.data.identity import identify
from jaxdistort.data.preparing import prepare


def _places(folder):
  """Which originals are in which split."""
  return {split: sorted(pictures.names_of_originals()) for split, pictures in open_splits(f"folder:{folder}").items()}


def _fingerprint(folder):
  return open_pictures(f"folder:{folder}", "train").fingerprint()


def _copied(folder, tmp_path, rename):
  """A copy whose files are called otherwise."""
  names = [entry.relative_to(folder) for entry in sorted(folder.rglob("*.*"))]
  for number, name in enumerate(names):
    target = tmp_path / "copy" / rename(number, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(folder / name, target)
  return tmp_path / "copy"


@pytest.fixture
def photos(folder_of_photographs, tmp_path):
  return tmp_path / "photos"


@pytest.mark.parametrize(
  "rename",
  [
    lambda number, name: f"{99 - number}{name.suffix}",
    lambda number, name: f"{number % 3}/{unicodedata.normalize('NFD', 'é')}{number}{name.suffix}",
    lambda number, name: name.parent / name.name.upper(),
  ],
)
def test_splits_and_order_are_those_of_the_pictures_not_of_their_names(photos, tmp_path, rename):
  copy = _copied(photos, tmp_path, rename)
  assert _places(copy) == _places(photos)
  assert _fingerprint(copy) == _fingerprint(photos)
  batches = [open_pictures(f"folder:{folder}", "test").load(0, 32) for folder in (copy, photos)]
  np.testing.assert_array_equal(*batches)


def test_links_change_nothing_and_copies_stay_together(photos):
  before, fingerprint = _places(photos), _fingerprint(photos)
  os.symlink("more", photos / "a_link_that_sorts_first")
  os.symlink(photos, photos / "more" / "circle")
  assert _fingerprint(photos) == fingerprint
  assert any("more/photo_37.png" in name for name in _names(photos))
  os.link(photos / "photo_03.png", photos / "hard link.png")
  shutil.copyfile(photos / "photo_03.png", photos / "copy.png")
  os.symlink("photo_03.png", photos / "soft link.png")
  after = _places(photos)
  assert {split: sorted(set(originals)) for split, originals in after.items()} == before
  assert sum(map(len, after.values())) == sum(map(len, before.values())) + 3
  pictures = open_pictures(f"folder:{photos}", "all")
  assert len(np.unique(pictures.originals())) == len(pictures) - 3


def _names(folder):
  source = Folder(folder)
  return [source.short_name(i) for i in range(len(source))]


def test_other_pictures_under_the_same_names_are_others(photos):
  before, seen = _fingerprint(photos), Seen.of(open_splits(f"folder:{photos}").values())
  os.rename(photos / "photo_04.png", photos / "photo_05.png")
  Image.new("RGB", (48, 48), "red").save(photos / "photo_04.png")
  assert _fingerprint(photos) != before
  unseen = open_pictures(f"folder:{photos}", "all").without(seen)
  assert [unseen.name(n) for n in range(len(unseen))] == [str(photos / "photo_04.png")]


def _encoded(kind, picture, **options):
  file = io.BytesIO()
  picture.save(file, kind, **options)
  return file.getvalue()


def _identities(tmp_path, *contents):
  paths = []
  for number, content in enumerate(contents):
    paths.append(str(tmp_path / f"{number}.bin"))
    (tmp_path / f"{number}.bin").write_bytes(content)
  return [row.tobytes() for row in identify(paths, str(tmp_path))]


def test_metadata_make_no_other_picture(photographs, tmp_path):
  picture, other = (Image.fromarray(image) for image in photographs[:2])
  exif = Image.Exif()
  exif[0x010E] = "a name " * 5000
  text = PngImagePlugin.PngInfo()
  text.add_text("Title", "a name")
  jpegs = [
    _encoded("JPEG", picture, **more) for more in ({}, {"exif": exif}, {"comment": b"x", "icc_profile": b"y" * 99})
  ]
  pngs = [_encoded("PNG", picture, **more) for more in ({}, {"pnginfo": text}, {"exif": exif})]
  webps = [_encoded("WEBP", picture, **more) for more in ({}, {"exif": exif}, {"xmp": b"<x/>"})]
  found = _identities(tmp_path, *jpegs, *pngs, *webps)
  assert [len(set(found[i : i + 3])) for i in (0, 3, 6)] == [1, 1, 1]
  others = _identities(
    tmp_path, *(_encoded(kind, other) for kind in ("JPEG", "PNG", "WEBP")), _encoded("JPEG", picture, quality=60)
  )
  assert len({*found, *others}) == 7


@pytest.mark.parametrize("side", [64, 300])  # below 256 KiB, and beyond
def test_metadata_behind_the_pixels_of_a_png_make_no_other_picture(side, photographs, tmp_path):
  plain = _encoded("PNG", Image.fromarray(photographs[0]).resize((side, side)), compress_level=0)
  end = plain.rindex(b"IEND") - 4
  behind = [b"".join(_chunk(b"tEXt", text) for text in texts) for texts in ([b"a\0b"], [b"IDAT", b"IDAT" * 9])]
  found = _identities(tmp_path, plain, *(plain[:end] + chunks + plain[end:] for chunks in behind), plain + b"more")
  assert len(set(found)) == 1
  changed = bytearray(plain)
  changed[end - 20] ^= 1  # of the last pixels
  assert _identities(tmp_path, bytes(changed))[0] != found[0]


def _chunk(name, content):
  return len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")


@pytest.mark.parametrize("content", [b"\xff\xd8" + b"\xff" * 2**19, b"\x89PNG\r\n\x1a\n" + bytes(2**19)])
def test_a_picture_is_not_sought_for_ever(content, tmp_path, monkeypatch):
  """Lost clusters of a card: each of their bytes might be the next segment."""
  looked, at = [], identity._at
  monkeypatch.setattr(
    identity, "_at", lambda head, file, place, count: looked.append(place) or at(head, file, place, count)
  )
  _identities(tmp_path, content)
  assert len(looked) <= identity._SEGMENTS


@pytest.mark.parametrize(
  "content",
  [b"", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8\xff\xe1\xff\xff", b"\x89PNG\r\n\x1a\n", b"RIFF0000WEBP", b"x"],
)
def test_what_is_no_picture_has_an_identity_too(content, tmp_path):
  assert len(set(_identities(tmp_path, content, content, content + b"z"))) == 2


def test_large_files_are_read_in_blocks(tmp_path):
  content = np.random.default_rng(0).bytes(2**20)
  places = (0, 5 * 2**16 + 100, 2**20 - 1)
  changed = [content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :] for place in places]
  assert len(set(_identities(tmp_path, content, content[:-1], changed[0], changed[2]))) == 4
  assert len(set(_identities(tmp_path, content, content))) == 1


def test_no_plain_file_is_opened(tmp_path):
  os.mkfifo(tmp_path / "pipe.jpg")
  (tmp_path / "gone.jpg").symlink_to("nowhere")
  paths = [str(tmp_path / name) for name in ("pipe.jpg", "gone.jpg", "missing.jpg")]
  assert len({row.tobytes() for row in identify(paths, str(tmp_path))}) == 3


def test_what_is_known_of_many_is_kept(tmp_path, monkeypatch):
  monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
  monkeypatch.setattr(identity, "_KEPT_FROM", 3)
  paths = [str(tmp_path / f"{n}.jpg") for n in range(4)]
  for path in paths:
    with open(path, "w") as file:
      file.write(path)
  read = []
  hashed = identity._identity
  monkeypatch.setattr(identity, "_identity", lambda path: read.append(path) or hashed(path))
  first = identify(paths, str(tmp_path))
  assert sorted(read) == paths
  read.clear()
  np.testing.assert_array_equal(identify(paths, str(tmp_path)), first)
  assert read == []
  with open(paths[2], "a") as file:
    file.write("more")
  changed = identify(paths, str(tmp_path))
  assert read == [paths[2]]
  assert np.any(changed != first, axis=1).tolist() == [False, False, True, False]
  (kept,) = (tmp_path / "cache" / "jaxdistort" / "identities").iterdir()
  for damage in (b"", b"x" * 100, kept.read_bytes()[:-50]):
    kept.write_bytes(damage)
    np.testing.assert_array_equal(identify(paths, str(tmp_path)), changed)


def test_what_could_not_be_read_once_is_not_kept(tmp_path, monkeypatch):
  monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
  paths = [str(tmp_path / f"{n}.jpg") for n in range(4)]
  for path in paths:
    with open(path, "w") as file:
      file.write(path)
  right = identify(paths, "not kept")
  monkeypatch.setattr(identity, "_KEPT_FROM", 3)

  def fail(digest, file, size):
    raise OSError(errno.EIO, "Input/output error")

  with monkeypatch.context() as broken:
    broken.setattr(identity, "_add_content", fail)
    assert not np.array_equal(identify(paths, str(tmp_path)), right)
  np.testing.assert_array_equal(identify(paths, str(tmp_path)), right)


def test_seen_goes_through_text():
  seen = Seen.of([open_pictures("samples", "test")])
  again = Seen.from_text(seen.to_text())
  np.testing.assert_array_equal(again.hashes, seen.hashes)
  both = Seen() | seen | again
  assert len(both) == len(seen) > 0
  assert Seen.from_text("").hashes.dtype == np.uint64
  originals = open_pictures("samples", "all").names_of_originals()
  test = set(open_pictures("samples", "test").names_of_originals())
  assert seen.holds(originals).tolist() == [name in test for name in originals]


@pytest.mark.parametrize("share", [slice(5, 12), slice(0, 3), slice(10, None)])
def test_sources_of_a_mix_that_share_pictures_test_none_that_is_trained_on(photos, tmp_path, share):
  part = tmp_path / "part"
  part.mkdir()
  for path in sorted(photos.glob("*.png"))[share]:
    shutil.copy(path, part / f"again_{path.name}")
  prepare(f"folder:{part}", tmp_path / "prepared", image_size=32, workers=0)
  for other in (f"folder:{part}", f"prepared:{tmp_path / 'prepared'}"):
    mix = f"folder:{photos}+{other}"
    places = {split: set(pictures.names_of_originals()) for split, pictures in open_splits(mix).items()}
    assert set.union(*places.values()) == set(open_pictures(mix, "all").names_of_originals())
    assert sum(map(len, places.values())) == len(set.union(*places.values()))
    assert all(places.values())
    assert places["train"] == {
      name for source in mix.split("+") for name in open_pictures(source, "train").names_of_originals()
    }
