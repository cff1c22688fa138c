"""Judgement: every original once in every slot of the protocol, the same however the work is divided."""

import jax
import numpy as np
import pytest
from skimage import metrics

import jaxdistort
from jaxdistort.data import open_pictures
from jaxdistort.errors import InputError
from jaxdistort.evaluation import Judge, evaluate_on_protocol
from jaxdistort.protocols import six, variable
from jaxdistort.runtime.mesh import create_mesh, replicated
from tests.data.heard import Heard

_SSIM = {"channel_axis": 2, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


def _judge(run, folder, *, devices, batch_size):
  """A network of a run on the pictures of `variable`."""
  mesh = create_mesh(devices=jax.devices()[:devices])
  recogniser = jaxdistort.load(run, sharding=replicated(mesh))
  pictures, broken, heard = open_pictures(f"folder:{folder}", "all"), [], Heard()
  judge = Judge(
    recogniser,
    variable(None),
    mesh,
    batch_size=batch_size,
    workers=0,
    on_broken=lambda pictures, numbers, _: broken.extend(map(pictures.name, numbers)),
    measure=True,
  )
  return judge(recogniser.variables, pictures, heard), recogniser.task, broken, heard


@pytest.mark.long
def test_every_picture_counts_once_however_the_work_is_divided(untrained, folder_of_photographs):
  outcome, task, broken, heard = _judge(untrained / "variable", folder_of_photographs, devices=1, batch_size=30)
  alone = outcome.predictions
  assert heard.bars == [("evaluating", "picture", 40, 40)]
  assert sorted(name.rsplit("/")[-1] for name in broken) == ["empty.jpg", "truncated.png"]
  assert alone.targets.tolist() == [0, 1, 1, 1, 1, 2, 2, 2, 2] * 38
  numbers, counts = np.unique(alone.numbers, return_counts=True)
  assert len(numbers) == 38
  assert set(counts) == {9}
  assert [shown.row for shown in outcome.first] == list(range(28))
  mistakes = np.flatnonzero(task.mistaken(alone.scores, alone.targets))
  assert len(outcome.worst) == min(20, len({(alone.originals[row], alone.targets[row]) for row in mistakes}))
  losses = task.score_losses(alone.scores, alone.targets)
  worst = [losses[shown.row] for shown in outcome.worst]
  assert worst == sorted(worst, reverse=True)
  assert worst[0] == losses[mistakes].max()
  pictures = open_pictures(f"folder:{folder_of_photographs}", "all")
  for shown in outcome.worst:
    expected = pictures.load(int(alone.numbers[shown.row]), 32)
    np.testing.assert_array_equal(shown.clean, expected)
    similarity = metrics.structural_similarity(expected, shown.image, **_SSIM)
    assert alone.ssim[shown.row] == pytest.approx(similarity, abs=1e-5)
    with np.errstate(divide="ignore"):
      assert alone.psnr[shown.row] == pytest.approx(metrics.peak_signal_noise_ratio(expected, shown.image))
  assert alone.level_names == ("gaussian_blur.radius", "gaussian_noise.amount", "gaussian_noise.density")
  assert alone.level_units[0] == "px"
  np.testing.assert_array_equal(np.isfinite(alone.levels), np.stack([alone.targets == k for k in (1, 2, 2)], axis=1))

  shared = _judge(untrained / "variable", folder_of_photographs, devices=8, batch_size=64)[0].predictions
  np.testing.assert_array_equal(shared.numbers, alone.numbers)
  np.testing.assert_array_equal(shared.levels, alone.levels)
  np.testing.assert_allclose(shared.scores, alone.scores, atol=1e-4)
  np.testing.assert_allclose(shared.ssim, alone.ssim, atol=1e-6)


@pytest.mark.long
def test_the_worst_mistakes_are_mistakes_by_the_networks_own_numbers(untrained, folder_of_photographs):
  """A network of `six` judged on `variable`: noise has another number there."""
  known = ["clean", *six(None).kinds]
  labels = [known.index(name) for name in ("clean", *variable(None).kinds)]
  assert labels != [0, 1, 2]
  outcome, task, *_ = _judge(untrained / "six", folder_of_photographs, devices=8, batch_size=64)
  predictions = outcome.predictions
  assert predictions.targets.tolist() == [labels[k] for k in (0, 1, 1, 1, 1, 2, 2, 2, 2)] * 38
  mistaken, losses = (f(predictions.scores, predictions.targets) for f in (task.mistaken, task.score_losses))
  rows = [shown.row for shown in outcome.worst]
  assert rows
  assert mistaken[rows].all()
  assert losses[rows[0]] == losses[mistaken].max()


@pytest.mark.long
def test_what_cannot_be_judged_is_reported(untrained, tmp_path):
  recogniser = jaxdistort.load(untrained / "variable", sharding=replicated(create_mesh()))
  for options, message in (
    ({"protocol": "six"}, "protocol six: the network does not know motion_blur, only gaussian_blur, gaussian_noise"),
    (
      {"protocol": "sixx"},
      "protocol: 'sixx' is not one of six, variable, ",
    ),
    ({"jpeg_quality": 101}, r"jpeg quality must be within 0\.\.100, got 101"),
    ({"batch_size": 0}, "batch size must be at least 1, got 0"),
    ({"workers": -1}, "workers must be at least 0, got -1"),
    ({"split": "tset"}, "split: 'tset' is not one of train"),
  ):
    with pytest.raises(InputError, match=message):
      evaluate_on_protocol(recogniser, "samples", **options)
  (tmp_path / "photos").mkdir()
  for number in range(3):
    (tmp_path / "photos" / f"{number}.png").write_bytes(b"")
  with pytest.raises(InputError, match=r"data source .*photos.*: none of its 3 pictures here can be read"):
    evaluate_on_protocol(recogniser, f"folder:{tmp_path}/photos", split="all", workers=0)
