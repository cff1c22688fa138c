"""Linear probes: what is written says what scikit-learn says, and both columns are of the same pictures."""

import sys

import numpy as np
import pytest
from safetensors import safe_open

from jaxdistort.data import open_pictures
from jaxdistort.errors import InputError, MissingExtra
from jaxdistort.evaluation import evaluate_on_protocol, probe_network, read_linear_probe
from jaxdistort.evaluation.features import Rows
from jaxdistort.evaluation.linear_probe import fit_linear_probe
from jaxdistort.evaluation.probing import _figures, _told_kinds
from jaxdistort.inference import Description, Recogniser
from jaxdistort.models import NetworkSpec
from jaxdistort.protocols import six, variable
from jaxdistort.reporting import format_probe, read_judgements, write_probe
from jaxdistort.tasks import Classification, LabelSpace, Recognition
from tests.data.heard import Heard
from tests.models.networks import made_up
from tests.training import tiny  # noqa: F401, registers the source "tiny"

_KINDS = ("gaussian_blur", "gaussian_noise")


def recogniser_of(folder, *, task=Recognition, protocol=None, model="compact", side=32):
  protocol = protocol or variable(None)
  task = task(LabelSpace(protocol.kinds, protocol.groups))
  spec = NetworkSpec(model, task.width, side)
  return Recogniser(Description(spec, task, protocol.describe(), "samples"), *made_up(spec), folder, 0)


def _drawn(count=200):
  """Features that tell two kinds well, though not surely; one feature never varies."""
  rng = np.random.default_rng(0)
  presence = rng.random((count, 2)) < 0.4
  features = rng.normal(3, 50, (count, 5)).astype(np.float32)
  features[:, :2] += 60 * presence
  features[:, 4] = 7
  return features, presence


def test_what_is_written_says_what_the_classifier_says(tmp_path):
  features, presence = _drawn()
  probe, classifier, unfinished = fit_linear_probe(features, presence, _KINDS)
  assert unfinished == ()
  probe.save(tmp_path / "probe.safetensors")
  read = read_linear_probe(tmp_path / "probe.safetensors")
  assert read.kinds == _KINDS
  assert read.coefficients.shape == (2, 5)
  standardised = (features.astype(np.float64) - features.mean(0, dtype=np.float64)) / read.scales
  theirs = np.stack([own[:, 1] for own in classifier.predict_proba(standardised)], axis=1)
  np.testing.assert_allclose(read.probabilities(features), theirs, atol=1e-6)
  np.testing.assert_allclose(read.scales[:4], features[:, :4].std(0), rtol=1e-4)
  assert read.scales[4] == 1
  found = read.probabilities(features) >= 0.5
  assert np.mean(found == presence) > 0.75
  with safe_open(tmp_path / "probe.safetensors", "numpy") as file:
    assert file.metadata()["kinds"] == '["gaussian_blur", "gaussian_noise"]'


def test_a_file_that_is_no_probe_gets_one_line(tmp_path):
  path = tmp_path / "x.safetensors"
  path.write_bytes(b"nonsense")
  with pytest.raises(InputError, match=r"x.safetensors: not a whole file of a linear probe"):
    read_linear_probe(path)
  with pytest.raises(InputError, match="not one of a linear probe"):
    read_linear_probe(recogniser_of(tmp_path).save(path))


def test_pictures_with_what_cannot_be_seen_or_is_not_probed_count_for_nobody(tmp_path):
  """Of four kinds one is never there to fit on: the third."""
  told = _told_kinds(np.array([[1, 0, 0, 1], [0, 1, 0, 0]], bool), six(None))
  np.testing.assert_array_equal(told, [True, True, False, True])
  presence = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [1, 0, 0, 1]], bool)
  visibility = np.where(presence, 0.9, 0).astype(np.float32)
  visibility[1, 1], visibility[4, 3] = 0.49, 0.5
  said = np.where(presence[:, told], 0.9, 0.2)
  names = ["fog", "jpeg", "snow"]
  recogniser, pictures = recogniser_of(tmp_path), open_pictures("tiny", "all")
  rows = Rows(np.arange(5), said, np.empty((5, 0)), presence, visibility)
  figures = _figures(recogniser, pictures, rows, names, told)["probe"]
  assert (figures.pictures, figures.accuracy, figures.false_alarms) == (3, 1, 0)
  assert [own.support for own in figures.per_kind.values()] == [2, 0, 1]
  assert figures.per_kind["jpeg"].average_precision is None
  with pytest.raises(InputError, match=r"none of 1 distorted pictures can be judged"):
    _figures(recogniser, pictures, Rows(*(column[1:2] for column in rows)), names, told)


@pytest.mark.long
def test_a_probe_beside_its_network(tmp_path):
  recogniser, heard = recogniser_of(tmp_path / "run", protocol=six(None)), Heard()
  options = {"batch_size": 56, "workers": 0, "split": "test"}
  report = probe_network(recogniser, "tiny", count=100, progress=heard, **options)
  judged = open_pictures("tiny", "test")
  assert heard.bars == [
    ("taking features", "picture", 112, 112),
    ("evaluating", "picture", len(judged), len(judged)),
  ]
  assert report.fitted_on == 100
  assert report.origin.split == "test"
  assert dict(report.hidden) == {"fit": 0, "judged": 0}
  assert report.remarks == report.origin.problems == ()
  probe, network = report.figures["probe"], report.figures["network"]
  assert probe.pictures == network.pictures == 7 * len(judged)
  assert report.probe.coefficients.shape == (6, 96)

  expected = evaluate_on_protocol(recogniser, "tiny", **options).report.figures
  for name in ("mean_average_precision", "macro_f1", "accuracy", "false_alarms"):
    assert getattr(network, name) == pytest.approx(getattr(expected, name), abs=1e-6)

  write_probe(report, tmp_path / "report")
  assert sorted(path.name for path in (tmp_path / "report").iterdir()) == [
    ".jaxdistort",
    "probe.safetensors",
    "report.json",
  ]
  table = format_probe(report)
  assert "gaussian_blur" in table
  assert "fitted on 100 pictures, judged on " in table
  with pytest.raises(InputError, match="holds no report"):
    read_judgements([tmp_path / "report"])


@pytest.mark.long
def test_a_network_of_another_task_is_probed_alone(tmp_path, folder_of_photographs):
  broken = []
  report = probe_network(
    recogniser_of(tmp_path, task=Classification),
    f"folder:{folder_of_photographs}",
    protocol="six",
    count=56,
    batch_size=56,
    workers=0,
    on_broken=lambda pictures, numbers, _: broken.extend(map(pictures.name, numbers)),
  )
  assert list(report.figures) == ["probe"]
  assert report.remarks == ("the network's own figures are missing: its task is classification, not recognition",)
  assert report.origin.split == "unseen"  # the training split serves the probe
  training = open_pictures(f"folder:{folder_of_photographs}", "train")
  unreadable = set(broken) - {training.name(number) for number in range(len(training))}
  assert report.figures["probe"].pictures == 7 * (40 - len(training) - len(unreadable))
  assert report.origin.broken == len(set(broken)) > 0


def test_what_cannot_be_probed_is_reported(tmp_path, monkeypatch):
  recogniser = recogniser_of(tmp_path)
  for options, message in (
    ({"protocol": "sixx"}, "protocol: 'sixx' is not one of six, variable, "),
    ({"count": 0}, "pictures to fit a probe on must be at least 1, got 0"),
    ({"split": "train"}, "split: 'train' is not one of auto, validation, test"),
    ({"jpeg_quality": 101}, r"jpeg quality must be within 0\.\.100, got 101"),
    ({"workers": -1}, "workers must be at least 0, got -1"),
  ):
    with pytest.raises(InputError, match=message):
      probe_network(recogniser, "tiny", **options)
  with pytest.raises(InputError, match="softmax has no map whose features could be taken"):
    probe_network(recogniser_of(tmp_path, model="softmax"), "tiny")
  with pytest.raises(InputError, match="of 0 pictures to fit on none shows a kind that another lacks; give more"):
    _told_kinds(np.zeros((0, 2), bool), variable(None))
  monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
  with pytest.raises(MissingExtra, match=r"a linear probe: needs scikit-learn, .*; install jaxdistort\[train\]"):
    probe_network(recogniser, "tiny")
