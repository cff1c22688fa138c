"""Exported recognisers give what the live ones give, on pictures of any size and number."""

import json

import jax
import numpy as np
import pytest
from jax import export

from jaxdistort.errors import InputError
from jaxdistort.inference import Description, Recogniser
from jaxdistort.inference.exporting import OPSET, export_recogniser
from jaxdistort.models import NetworkSpec
from jaxdistort.protocols import six
from jaxdistort.tasks import Classification, LabelSpace
from tests.inference.recognisers import small_recogniser
from tests.models.networks import made_up

_SHAPES = (2, 32, 32), (1, 45, 38)


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory):
  return small_recogniser(tmp_path_factory.mktemp("run"))


def _pictures(shape):
  return np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)


def _live(recogniser, pictures):
  """As the recogniser itself would answer: by NumPy from the scores on."""
  scores = np.asarray(jax.jit(recogniser.apply)(recogniser.variables, pictures))
  task = recogniser.task
  answers = {"scores": scores, "probabilities": task.probabilities(scores)}
  if task.severities(scores) is not None:
    answers |= {"severities": task.severities(scores), "groups": task.group_probabilities(scores)}
  return answers


def _check(found, expected):
  assert set(found) == set(expected)
  for name, values in expected.items():
    np.testing.assert_allclose(found[name], values, rtol=0, atol=1e-4)


@pytest.mark.long
@pytest.mark.parametrize("shape", _SHAPES)
def test_stablehlo(recogniser, tmp_path, shape):
  path = export_recogniser(recogniser, tmp_path / "more" / "model.stablehlo")
  exported = export.deserialize(bytearray(path.read_bytes()))
  assert exported.platforms == ("cpu", "cuda")
  pictures = _pictures(shape)
  _check(exported.call(pictures), _live(recogniser, pictures))


@pytest.mark.slow
def test_of_a_network_of_one_size_any_number(tmp_path):
  task = Classification(LabelSpace(six().kinds, six().groups))
  spec = NetworkSpec("softmax", task.width, 32)
  structure, variables = made_up(spec)
  description = Description(spec, task, six().describe(), "folder:/home/somebody/photos", "center")
  recogniser = Recogniser(description, structure, variables, tmp_path, 0)
  path = export_recogniser(recogniser, tmp_path / "model.stablehlo")
  exported = export.deserialize(bytearray(path.read_bytes()))
  pictures = _pictures((3, 32, 32))
  _check(exported.call(pictures), _live(recogniser, pictures))
  with pytest.raises(ValueError, match="shape"):
    exported.call(_pictures((3, 33, 32)))
  assert json.loads(path.with_suffix(".json").read_text())["source"] == "folder:photos"


@pytest.mark.slow
def test_onnx(recogniser, tmp_path):
  pytest.importorskip("jax2onnx")
  onnxruntime = pytest.importorskip("onnxruntime")
  with jax.numpy_rank_promotion("allow"):  # the exporter is less strict than we are
    path = export_recogniser(recogniser, tmp_path / "model.onnx")
  session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
  said = json.loads(session.get_modelmeta().custom_metadata_map["jaxdistort"])
  assert said == json.loads(path.with_suffix(".json").read_text())
  assert OPSET == 23
  names = [own.name for own in session.get_outputs()]
  for shape in _SHAPES:
    pictures = _pictures(shape)
    _check(dict(zip(names, session.run(None, {"images": pictures}), strict=True)), _live(recogniser, pictures))


def test_another_suffix_is_refused(recogniser, tmp_path):
  with pytest.raises(InputError, match=r"suffix.*\.pt.*\.onnx"):
    export_recogniser(recogniser, tmp_path / "model.pt")
  assert list(tmp_path.iterdir()) == []
