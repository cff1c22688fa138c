"""A recogniser: from a run or a file the same, on pictures of any kind and size."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save_file

import jaxdistort
from jaxdistort.data.views import VIEWS, Tiles
from jaxdistort.errors import InputError
from jaxdistort.inference import (
  Description,
  Recogniser,
  TiledPicture,
  one_behind,
  predict_stream,
  score_pictures,
  write_model_file,
)
from jaxdistort.models import NetworkSpec
from jaxdistort.protocols import six
from jaxdistort.runtime.mesh import create_mesh, replicated
from jaxdistort.tasks import Classification, LabelSpace
from tests.models.networks import made_up, run
from tests.training.tiny import get_config, save_untrained

_LABELS = LabelSpace(("gaussian_noise", "jpeg"), ("noise", "coding"))


def _recogniser(tmp_path, name="compact", mesh=None, **options):
  spec = NetworkSpec(name, 3, 32, options=options)
  structure, variables = made_up(spec)
  variables = jax.device_put(variables, replicated(mesh or create_mesh(devices=jax.devices()[:1])))
  description = Description(spec, Classification(_LABELS), six(40).describe(), "samples")
  return Recogniser(description, structure, variables, tmp_path, 7)


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory):
  return _recogniser(tmp_path_factory.mktemp("recogniser"))


def _scores(recogniser, squares):
  outputs, _ = run(recogniser.structure, recogniser.variables, jnp.asarray(squares))
  return np.asarray(jax.nn.log_softmax(outputs))


def test_the_loop_is_one_behind():
  log = []
  for batch, outputs in one_behind(lambda n: log.append(n) or 10 * n, range(4)):
    log.append((batch, outputs))
  assert log == [0, 1, (0, 0), 2, (1, 10), 3, (2, 20), (3, 30)]
  assert list(one_behind(lambda n: n, [])) == []


@pytest.mark.slow
def test_tiles_of_many_pictures_in_batches_of_one_shape(recogniser, photographs):
  rng = np.random.default_rng(0)
  counts = [1, 4, 0, 9, 2, 0, 25, 1, 0]
  pictures, expected = [], []
  for number, count in enumerate(counts):
    squares = photographs[rng.integers(0, 8, count)][:, :32, :32]
    pictures.append(TiledPicture(number, Tiles(squares, np.full((count, 2), 32, np.int32))))
  alone = iter(_scores(recogniser, np.concatenate([picture.tiles.images for picture in pictures])))
  for count in counts:
    own = np.stack([next(alone) for _ in range(count)]) if count else None
    expected.append(None if own is None else recogniser.task.combine(own))
  for devices, batch_size in ((1, 7), (1, 64), (8, 8)):
    mesh = create_mesh(devices=jax.devices()[:devices])
    own = _recogniser(recogniser.path, mesh=mesh)
    found = list(score_pictures(own, iter(pictures), mesh, batch_size=batch_size))
    assert [picture.owner for picture in found] == list(range(len(counts)))
    for picture, scores in zip(found, expected, strict=True):
      assert (picture.scores is None) == (scores is None)
      if scores is not None:
        np.testing.assert_allclose(picture.scores, scores, atol=1e-5)


def test_no_more_pictures_are_held_than_are_under_way(recogniser, photographs):
  taken = 0

  def endless():
    nonlocal taken
    while True:
      taken += 1
      yield photographs[taken % 8]

  answers = predict_stream(recogniser, endless(), view="center", batch_size=4)
  for done in range(1, 20):
    next(answers)
    assert taken <= done + 12


def test_pictures_come_in_any_form(recogniser, photographs, tmp_path):
  Image.fromarray(photographs[0]).save(tmp_path / "picture.png")
  alone = recogniser.predict(photographs[0])
  for form in (tmp_path / "picture.png", str(tmp_path / "picture.png"), Image.fromarray(photographs[0])):
    assert recogniser.predict(form) == alone
  assert recogniser.predict(jnp.asarray(photographs[0])) == alone
  many = recogniser.predict(photographs)
  assert len(many) == 8
  assert many[0].probability_clean == pytest.approx(alone.probability_clean, abs=1e-6)
  assert len(recogniser.predict(iter([photographs[0], tmp_path / "picture.png"]))) == 2
  grey = recogniser.predict(photographs[0][..., 0])
  assert sum(f.probability for f in grey.findings) + grey.probability_clean == pytest.approx(1)
  assert recogniser.predict([]) == []
  for wrong in (np.zeros((4, 4, 3)), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)):
    with pytest.raises(InputError, match="a picture must"):
      recogniser.predict([wrong])
  with pytest.raises(InputError, match="view: 'patch' is not one of pad, center, patches"):
    recogniser.predict(photographs[0], view="patch")


def test_patches_are_averaged_by_hand(recogniser, photographs):
  answer = recogniser.predict(photographs[1][:50], view="patches")
  tiles = VIEWS["patches"](Image.fromarray(photographs[1][:50]), 32)
  assert len(tiles.images) == 4
  mean = _scores(recogniser, tiles.images).mean(axis=0)
  expected = np.exp(mean) / np.exp(mean).sum()
  assert answer.probability_clean == pytest.approx(expected[0], abs=1e-5)
  assert {f.kind: f.probability for f in answer.findings} == {
    name: pytest.approx(p, abs=1e-5) for name, p in zip(_LABELS.kinds, expected[1:], strict=True)
  }


@pytest.mark.slow
def test_padding_is_left_out_by_networks_of_any_size(tmp_path, photographs):
  """What the padding holds does not matter."""
  recogniser = _recogniser(tmp_path, pool=True)
  tiles = VIEWS["native"](Image.fromarray(photographs[2][:16, :24]), 32)
  np.testing.assert_array_equal(tiles.extents, [[16, 24]])
  program = recogniser.compiled()
  black = program(recogniser.variables, tiles.images, tiles.extents)
  whole = program(recogniser.variables, tiles.images, np.array([[32, 32]], np.int32))
  assert not np.allclose(black, whole)
  answer = recogniser.predict(photographs[2][:16, :24], view="native")
  assert answer.probability_clean == pytest.approx(float(np.exp(black[0, 0])), abs=1e-6)


def test_a_model_file_holds_all(recogniser, photographs, tmp_path):
  path = recogniser.save(tmp_path / "new" / "model.safetensors")
  again = jaxdistort.load(path)
  assert (again.step, again.task.labels, again.description.jpeg_quality) == (7, _LABELS, 40)
  assert again.predict(photographs) == recogniser.predict(photographs)
  assert write_model_file(again, tmp_path / "twice.safetensors").read_bytes() == path.read_bytes()


def test_labels_come_from_the_file_not_from_tables(recogniser, tmp_path):
  """A file of other kinds, in an order and of names that no table here has."""
  path = recogniser.save(tmp_path / "model.safetensors")
  with safe_open(path, "numpy") as file:
    header, arrays = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
  description = json.loads(header["description"])
  description["task"]["labels"] = {"kinds": ["smudge", "thumb"], "groups": ["optics", "optics"]}
  save_file(arrays, path, header | {"description": json.dumps(description)})
  assert jaxdistort.load(path).task.answer_names == ("clean", "smudge", "thumb")


@pytest.mark.parametrize(
  ("damage", "message"),
  [
    (lambda path: path.write_bytes(b"no model"), "not a whole safetensors file"),
    (lambda path: path.write_bytes(path.read_bytes()[:-9]), "not a whole safetensors file"),
    (lambda path: save_file({"a": np.zeros(2)}, path, {"format": "other"}), "not one of a recogniser"),
    (lambda path: path.unlink(), "no such file"),
    (lambda path: _with_description(path, version=99), "version 99, this program reads 1"),
    (lambda path: _with_description(path, task={}), "its description cannot be understood"),
  ],
)
def test_model_files_that_cannot_be_used(recogniser, tmp_path, damage, message):
  path = recogniser.save(tmp_path / "model.safetensors")
  damage(path)
  with pytest.raises(InputError, match=message):
    jaxdistort.load(path)


def _with_description(path, **changes):
  with safe_open(path, "numpy") as file:
    header, arrays = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
  description = json.dumps(json.loads(header["description"]) | changes)
  save_file(arrays, path, header | {"description": description})


@pytest.mark.slow
def test_a_run_and_its_model_file_answer_alike(photographs, tmp_path):
  save_untrained(get_config(), tmp_path / "run")
  run = jaxdistort.load(tmp_path / "run")
  assert run.task.answer_names == ("clean", "gaussian_blur", "gaussian_noise")
  file = jaxdistort.load(run.save(tmp_path / "model.safetensors"))
  assert file.predict(photographs) == run.predict(photographs)
  with pytest.raises(InputError, match=r"weights x: model .* holds all weights"):
    jaxdistort.load(tmp_path / "model.safetensors", weights="x")
