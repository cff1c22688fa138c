"""Distorted sets of pictures with odd names, and tables of them that a power cut has spoilt."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from jaxdistort.errors import NothingReadable
from jaxdistort.files import read_table
from jaxdistort.generation import generate
from tests.test_files import ODD_NAMES

_OPTIONS = {"protocol": "variable", "image_size": 32, "workers": 0, "jpeg_quality": 0}


@pytest.mark.long  # compiles a protocol
def test_odd_names_are_listed_and_a_spoilt_manifest_is_made_again(tmp_path):
  photos, output = tmp_path / "photos", tmp_path / "set"
  photos.mkdir()
  for number, name in enumerate(ODD_NAMES):
    Image.new("RGB", (32, 32), (number, 0, 0)).save(photos / name)
  assert generate(f"folder:{photos}", output, **_OPTIONS) == (9 * len(ODD_NAMES), 0, 9 * len(ODD_NAMES), 0)
  head, *rows = read_table(output / "manifest.csv")
  assert sorted(row[head.index("original")] for row in rows[::9]) == sorted(ODD_NAMES)
  assert all((output / row[0]).is_file() for row in rows)
  whole = (output / "manifest.csv").read_bytes()
  for damage in (b"", b"\0" * 99, whole[:-40], whole[: whole.rindex(b"\n", 0, -1) + 1]):
    (output / "manifest.csv").write_bytes(damage)
    (output / "unfinished").mkdir()
    (output / "unfinished" / "part-000000.csv").write_bytes(damage)  # of a process that was killed here
    assert generate(f"folder:{photos}", output, **_OPTIONS) == (9 * len(ODD_NAMES), 0, 9 * len(ODD_NAMES), 0)
    assert (output / "manifest.csv").read_bytes() == whole


@pytest.mark.long  # compiles a protocol
def test_what_sources_of_a_mix_share_is_in_one_split(folder_of_photographs, tmp_path):
  part = tmp_path / "part"
  part.mkdir()
  for path in sorted((tmp_path / "photos").glob("photo*.png"))[5:10]:
    shutil.copy(path, part)
  mix = f"folder:{folder_of_photographs}+folder:{part}"
  generate(mix, tmp_path / "set", **_OPTIONS)
  head, *rows = read_table(tmp_path / "set" / "manifest.csv")
  places = {(Path(row[head.index("original")]).name, row[head.index("split")]) for row in rows}
  assert len(places) == len({name for name, _ in places}) == 38  # two are broken


@pytest.mark.long  # compiles a protocol
def test_a_set_of_nothing_but_broken_pictures_is_refused(folder_of_photographs, tmp_path):
  folder = Path(folder_of_photographs)
  shutil.rmtree(folder / "more")
  for place in folder.iterdir():
    place.write_text(place.name)
  with pytest.raises(NothingReadable, match="none of its 39 pictures here can be read"):
    generate(f"folder:{folder}", tmp_path / "set", **_OPTIONS)
  assert len((tmp_path / "set" / "broken_pictures.jsonl").read_text().splitlines()) == 39
