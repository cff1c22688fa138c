"""`jaxdistort predict` as a person runs it."""

import io
import json
import sys
from types import SimpleNamespace

import pytest
from PIL import Image

import jaxdistort
from jaxdistort.inference.verdicts import in_words


@pytest.fixture
def pictures(photographs, tmp_path):
  folder = tmp_path / "pictures"
  folder.mkdir()
  for number in range(3):
    Image.fromarray(photographs[number]).save(folder / f"{number}.png")
  return folder


@pytest.mark.long
def test_a_line_a_picture_in_their_order(command, model, pictures):
  (pictures / "1.png").write_bytes(b"no picture")
  ended = command("predict", "--checkpoint", model, pictures)
  answers = [jaxdistort.load(model).predict(pictures / f"{number}.png") for number in (0, 2)]
  lines = [f"{pictures}/{number}.png: {in_words(own)}" for number, own in zip((0, 2), answers, strict=True)]
  assert ended.out.splitlines() == lines
  assert ended.err.startswith(f"{pictures}/1.png: ")
  assert ended.err.count("\n") == 1
  assert ended.status == 2


def test_records_of_standard_input_and_of_files(command, model, pictures, monkeypatch):
  content = (pictures / "0.png").read_bytes()
  monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
  (pictures / "2.png").write_bytes(content[:100])
  ended = command("predict", "--json", "--checkpoint", model, "-", pictures / "0.png", pictures / "2.png")
  first, second, broken = json.loads(ended.out)
  assert first["path"] == "-"
  assert first | {"path": second["path"]} == second
  assert set(first) == {"path", "clean", "unclear", "distortions", "doubtful", "advice", "refused_for"}
  assert set(broken) == {"path", "error"}
  assert ended.status == 2


@pytest.mark.long
def test_the_exit_status_says_whether_a_condition_holds(command, model, pictures):
  found = {
    group.group
    for answer in jaxdistort.load(model).predict(sorted(pictures.iterdir()))
    for group in answer.groups
    if group.found
  }
  for name in ("blur", "noise", "any"):
    ended = command("predict", "--checkpoint", model, "--fail-on", name, pictures)
    assert ended.status == int(name in found or (name == "any" and bool(found)))
    assert ("[refused]" in ended.out) == bool(ended.status)
  assert command("predict", "--checkpoint", model, pictures).status == 0


@pytest.mark.parametrize(
  ("words", "message"),
  [
    (("--fail-on", "blurr", "MODEL"), "condition 'blurr': expected NAME"),
    (("--fail-on", "blur>=2", "MODEL"), "a severity within"),
    (("--checkpoint", "/nowhere.safetensors"), "no such file"),
    (("--wrong",), "unrecognized arguments"),
  ],
)
def test_what_cannot_be_run_has_status_2(command, model, pictures, words, message):
  words = ["--checkpoint", model, *words[:-1]] if words[-1] == "MODEL" else words
  ended = command("predict", *words, pictures / "0.png")
  assert ended.status == 2
  assert message in ended.err
  assert ended.err.count("\n") == 1


def test_maps_say_where(command, model, pictures, tmp_path, monkeypatch):
  content = (pictures / "1.png").read_bytes()
  monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
  assert command("predict", "--checkpoint", model, "--map", tmp_path / "maps", pictures / "0.png", "-").status == 0
  names = [f"{str(pictures / '0').strip('/').replace('/', '_')}.png.png", "standard input.png"]
  assert {file.name for file in (tmp_path / "maps").glob("*.png")} == set(names)
  with Image.open(tmp_path / "maps" / names[1]) as drawn, Image.open(pictures / "1.png") as picture:
    assert drawn.height == picture.height + 18
    assert drawn.width % picture.width == 0
    assert drawn.width > picture.width
    left = drawn.crop((0, 18, picture.width, drawn.height))
    assert left.tobytes() == picture.tobytes()


def test_every_picture_has_its_own_map_and_none_is_hidden(command, model, pictures, tmp_path, monkeypatch):
  (pictures / "a").mkdir()
  for name in ("a/0.png", "a_0.png"):
    (pictures / name).write_bytes((pictures / "0.png").read_bytes())
  monkeypatch.chdir(pictures)
  command("predict", "--checkpoint", model, "--map", tmp_path / "maps", "./a/0.png", "a_0.png", "../pictures/0.png")
  names = {file.name for file in (tmp_path / "maps").glob("*.png")}
  assert names == {"a_0.png.png", "a_0.png_2.png", "pictures_0.png.png"}


def test_maps_are_not_written_among_pictures(command, model, pictures):
  ended = command("predict", "--checkpoint", model, "--map", pictures, pictures / "0.png")
  assert ended.status == 2
  assert "holds pictures" in ended.err


def test_an_empty_folder_is_told(command, model, tmp_path):
  (tmp_path / "empty").mkdir()
  ended = command("predict", "--checkpoint", model, tmp_path / "empty")
  assert (ended.status, ended.out) == (2, "")
  assert "no pictures in this folder" in ended.err


def test_pictures_by_their_urls(command, model, pictures):
  url = (pictures / "0.png").as_uri()
  ended = command("predict", "--checkpoint", model, url, (pictures / "gone.png").as_uri())
  assert ended.out == f"{url}: {in_words(jaxdistort.load(model).predict(pictures / '0.png'))}\n"
  assert "gone.png: cannot be fetched" in ended.err
  assert ended.status == 2
