"""`jaxdistort distort` and `jaxdistort kinds` as a person runs them."""

import jax
import numpy as np
import pytest
from PIL import Image

import jaxdistort
from jaxdistort.distortions import DISTORTIONS


@pytest.fixture
def folder(photographs, tmp_path):
  folder = tmp_path / "photos"
  (folder / "more").mkdir(parents=True)
  for picture, name in zip(photographs[:2, :48, :48], ("cat.png", "more/dog.png"), strict=True):
    Image.fromarray(picture).save(folder / name)
  return folder


def _levels(file):
  return np.asarray(Image.open(file))


@pytest.mark.long
def test_kinds_follow_each_other(command, folder, tmp_path):
  output = tmp_path / "spoiled.png"
  words = ("--kind", "gaussian_noise", "--amount", 20, "--kind=jpeg", "--quality=30")
  ended = command("distort", folder / "cat.png", "--output", output, "--seed", 3, *words)
  assert (ended.status, ended.out) == (0, f"{folder / 'cat.png'}: {output}\n")
  key, image = jax.random.fold_in(jax.random.key(3), 0), _levels(folder / "cat.png")
  image = jaxdistort.distort(image, "gaussian_noise", amount=20.0, key=jax.random.fold_in(key, 0))
  np.testing.assert_array_equal(_levels(output), jaxdistort.distort(image, "jpeg", quality=30.0))


@pytest.mark.slow
def test_a_folder_goes_to_a_folder_by_severity(command, folder, tmp_path):
  (folder / "broken.png").write_bytes(b"")
  ended = command("distort", folder, "--output", tmp_path / "out", "--kind", "fog", "--severity", 0.5)
  assert ended.status == 1
  assert "broken.png: " in ended.out
  names = ["cat.png", "more/dog.png"]
  assert sorted(str(f.relative_to(tmp_path / "out")) for f in (tmp_path / "out").rglob("*.png")) == names
  for number, name in enumerate(names, start=1):
    key = jax.random.fold_in(jax.random.fold_in(jax.random.key(0), number), 0)
    expected = jaxdistort.distort(_levels(folder / name), "fog", severity=0.5, key=key)
    np.testing.assert_array_equal(_levels(tmp_path / "out" / name), expected)


def test_a_level_of_a_table(command, folder, tmp_path):
  words = ("--source", "imagenet_c", "--kind", "contrast", "--severity", 3)
  assert command("distort", folder / "cat.png", "--output", tmp_path, *words).status == 0
  expected = jaxdistort.distort(_levels(folder / "cat.png"), "contrast", severity=3, source="imagenet_c")
  np.testing.assert_array_equal(_levels(tmp_path / "cat.png"), expected)


@pytest.mark.parametrize(
  ("words", "message"),
  [
    (("--output", "OUTPUT"), "no --kind is given"),
    (("--output", "OUTPUT", "--kind", "blurr"), "blurr"),
    (("--output", "OUTPUT", "--kind", "jpeg", "--quality", "much"), "jpeg: --quality: expected a number, got 'much'"),
    (("--output", "OUTPUT", "--kind", "jpeg", "30"), "expected --PARAMETER NUMBER"),
    (("--output", "OUTPUT", "--kind", "jpeg", "--quality", "300"), "quality"),
    (("--output", "OUTPUT", "--kind", "jpeg", "--radius", "3"), "radius"),
    (("--output", "OUTPUT/a.png", "PHOTOS", "--kind", "jpeg"), "one file for 2 pictures"),
    (("--output", "OUTPUT", "--source", "imagenet", "--kind", "jpeg", "--severity", "3"), "imagenet_c"),
  ],
)
def test_what_cannot_be_done(refused, folder, tmp_path, words, message):
  words = [word.replace("OUTPUT", str(tmp_path / "out")).replace("PHOTOS", str(folder)) for word in words]
  images = [] if str(folder) in words else [folder / "cat.png"]
  assert message in refused("distort", *images, *words)


def test_pictures_of_one_name_are_not_written_over_each_other(refused, folder, tmp_path):
  words = ("--output", tmp_path / "out", "--kind", "jpeg")
  Image.open(folder / "cat.png").save(folder / "cat.jpg")
  assert "would be written to the same file" in refused("distort", folder, *words)


def test_no_picture_is_lost(refused, folder):
  before = {file: file.read_bytes() for file in folder.rglob("*.png")}
  words = ("--kind", "jpeg", "--quality", 5)
  assert "is the folder of the pictures" in refused("distort", folder, "--output", folder / "more" / "..", *words)
  assert "would be lost" in refused("distort", folder / "cat.png", "--output", folder, *words)
  assert "would be lost" in refused("distort", folder / "cat.png", "--output", folder / "cat.png", *words)
  assert {file: file.read_bytes() for file in folder.rglob("*.png")} == before


def test_what_is_left_out_is_told(command, folder, tmp_path):
  (folder / "@eaDir").mkdir()
  Image.open(folder / "cat.png").save(folder / "@eaDir" / "preview.png")
  ended = command("distort", folder, "--output", tmp_path / "out", "--kind", "jpeg")
  assert ended.status == 0
  assert "@eaDir" in ended.err
  assert not (tmp_path / "out" / "@eaDir").exists()


def test_kinds_are_listed(command, refused):
  out = command("kinds").out
  for name, distortion in DISTORTIONS.items():
    assert f"{name}  {distortion.group}" in out
  assert "  --quality 1..100, default " in command("kinds", "jpeg").out
  assert "contrast  5 levels of low_contrast" in command("kinds", "--source", "imagenet_c").out
  assert "did you mean" in refused("kinds", "jpge")
