"""Severity sweeps: against doing it by hand, divided in any way, and thresholds of known curves."""

import dataclasses
import json

import jax
import numpy as np
import pytest
from PIL import Image
from skimage import metrics

from jaxdistort.training.checkpoints import load_trained
from jaxdistort.data import open_pictures
from jaxdistort.distortions import DISTORTIONS
from jaxdistort.errors import InputError
from jaxdistort.evaluation import format_sweep, parse_sweep, sweep_checkpoints
from jaxdistort.evaluation import sweep as sweep_module
from jaxdistort.reporting.sweep_charts import draw_sweeps
from jaxdistort.evaluation.sweep_reports import detection_threshold, report_sweep
from jaxdistort.evaluation.sweeping import Answers, SweepOutcome, make_sweep_step, run_sweeps
from jaxdistort.models import run_network
from jaxdistort.runtime.mesh import create_mesh, replicated
from tests.training.tiny import get_config, save_untrained


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
  """Untrained networks for `variable` and for `six`, 32 px."""
  root = tmp_path_factory.mktemp("sweeps")
  variable, six = get_config(), get_config()
  six.protocol = dataclasses.replace(six.protocol, name="six")
  save_untrained(variable, root / "three")
  save_untrained(six, root / "seven")
  return root


def _run(networks, folder, *, devices, batch_size, sweeps, jpeg_quality=0):
  mesh = create_mesh(devices=jax.devices()[:devices])
  networks = [load_trained(path, replicated(mesh)) for path in networks]
  broken = []
  outcomes = run_sweeps(
    sweeps,
    networks,
    open_pictures(f"folder:{folder}", "all"),
    mesh,
    jpeg_quality=jpeg_quality,
    batch_size=batch_size,
    workers=0,
    on_broken=lambda pictures, numbers: broken.extend(map(pictures.name, numbers)),
  )
  return outcomes, networks, broken


def test_names_and_levels():
  sweep = parse_sweep("gaussian_blur", "0.5:11:22")
  assert (sweep.parameter, sweep.unit, sweep.fixed) == ("radius", "px", {})
  np.testing.assert_allclose(sweep.levels, np.arange(0.5, 11.1, 0.5))
  assert parse_sweep("gaussian_noise.density", "1,0.25,0.25").levels == (0.25, 1)
  assert parse_sweep("gaussian_noise.density").fixed == {"amount": 25}
  assert parse_sweep("twirl").levels[0] == 0  # a turn to the left is none to the right
  assert len(parse_sweep("marble.turbulence").levels) == 12


@pytest.mark.parametrize(
  ("name", "levels", "message"),
  [
    ("gausian_blur", None, "did you mean 'gaussian_blur'"),
    ("gaussian_blur.sigma", None, "parameter of gaussian_blur: 'sigma' is not one of radius"),
    ("gaussian_blur", "0.5:11", "expected START:STOP:COUNT"),
    ("gaussian_blur", "weak,strong", "expected START:STOP:COUNT"),
    ("gaussian_blur", "1:5:0", "expected START:STOP:COUNT"),
    ("gaussian_blur", "1,nan", "expected START:STOP:COUNT"),
    ("gaussian_blur", "nan:5:3", "expected START:STOP:COUNT"),
    ("gaussian_blur", "1:5:1e11", "expected START:STOP:COUNT"),
    ("gaussian_blur", "1:5:100000000000", "more than 1000; give fewer"),
    ("gaussian_blur", "0:99:3", "gaussian_blur goes from 0 to 11 px"),
  ],
)
def test_wrong_sweeps_get_one_clear_line(name, levels, message):
  with pytest.raises(InputError, match=message):
    parse_sweep(name, levels)


@pytest.mark.slow
def test_a_sweep_is_what_one_would_do_by_hand(runs, folder_of_photographs):
  sweeps = [parse_sweep("gaussian_blur", "1,4,9"), parse_sweep("gaussian_noise", "5,25")]
  names = [runs / "three", runs / "seven"]
  (blur, noise), networks, broken = _run(names, folder_of_photographs, devices=1, batch_size=15, sweeps=sweeps)
  assert sorted(name.rsplit("/")[-1] for name in broken) == ["empty.jpg", "truncated.png"]
  assert blur.ssim.shape == (38, 3)
  assert [own.probabilities.shape for own in noise.answers] == [(38, 2, 3), (38, 2, 7)]
  assert (np.diff(blur.ssim) < 0).all()  # of every picture
  assert (np.diff(noise.psnr) < 0).all()

  pictures = open_pictures(f"folder:{folder_of_photographs}", "all")
  readable = [i for i in range(len(pictures)) if pictures.name(i) not in broken]
  for row in (0, 20, 37):
    clean = pictures.load(readable[row], 32)
    distorted = np.asarray(DISTORTIONS["gaussian_blur"](jax.random.key(0), clean, radius=4.0))
    similarity = metrics.structural_similarity(
      clean, distorted, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert blur.ssim[row, 1] == pytest.approx(similarity, abs=1e-5)
    for network, found in zip(networks, blur.answers, strict=True):
      logits, _ = run_network(network.structure, network.variables, distorted[None])
      np.testing.assert_allclose(found.probabilities[row, 1], np.asarray(jax.nn.softmax(logits[0])), atol=1e-5)
      logits, _ = run_network(network.structure, network.variables, clean[None])
      np.testing.assert_allclose(found.undistorted[row], np.asarray(jax.nn.softmax(logits[0])), atol=1e-5)

  (shared, again), *_ = _run(names, folder_of_photographs, devices=8, batch_size=64, sweeps=sweeps)
  np.testing.assert_allclose(shared.ssim, blur.ssim, atol=1e-6)
  np.testing.assert_array_equal(again.psnr, noise.psnr)  # the same noise, however the work is divided
  np.testing.assert_allclose(shared.answers[1].probabilities, blur.answers[1].probabilities, atol=1e-5)


@pytest.mark.slow
def test_all_levels_share_one_compilation_and_their_random_numbers(runs, photographs):
  mesh = create_mesh()
  network = load_trained(runs / "three", replicated(mesh))
  step = make_sweep_step(parse_sweep("gaussian_noise"), [network], mesh, jpeg_quality=75)
  images = jax.numpy.asarray(photographs[:, :32, :32])

  def at(level):
    return step((network.variables,), images, jax.numpy.uint32(0), jax.numpy.float32(level))

  _, first, _ = at(0), at(9), at(25)
  jax.tree.map(np.testing.assert_array_equal, first, at(9))
  assert step._cache_size() == 1


@pytest.mark.slow
def test_what_a_sweep_writes(runs, folder_of_photographs, tmp_path, monkeypatch):
  report = sweep_checkpoints(
    [runs / "three", runs / "seven"],
    f"folder:{folder_of_photographs}",
    [parse_sweep("motion_blur", "2,40"), parse_sweep("jpeg", "10,90")],
    output=tmp_path,
    workers=0,
    jpeg_quality=0,
  )
  assert json.loads((tmp_path / "sweep.json").read_text()) == report
  assert (report["split"], report["broken"]) == ("all", 2)
  assert len((tmp_path / "broken_pictures.jsonl").read_text().splitlines()) == 2
  assert [network["name"] for network in report["networks"]] == ["three", "seven"]
  motion, jpeg = report["sweeps"]
  assert motion["networks"][0]["accuracy"] is None  # `variable` has no motion blur
  assert len(motion["networks"][1]["accuracy"]) == 2
  assert motion["fixed"] == {"angle": 90}
  assert motion["image_size"] == 32
  assert jpeg["ssim"]["mean"][0] < jpeg["ssim"]["mean"][1] < 1
  assert set(jpeg["networks"][0]["probabilities"]) == {"reference", "gaussian_blur", "gaussian_noise"}
  with Image.open(tmp_path / "sweep.png") as picture:
    assert picture.width > 800
  assert (tmp_path / "sweep.svg").stat().st_size > 1000
  assert "three: has no class jpeg" in format_sweep(jpeg)
  monkeypatch.setattr(sweep_module, "draw_sweeps", lambda *given: (_ for _ in ()).throw(MemoryError))
  (tmp_path / "sweep.json").unlink()
  with pytest.raises(MemoryError):
    sweep_checkpoints([runs / "three"], "samples", [parse_sweep("jpeg", "9")], output=tmp_path, workers=0, split="test")
  assert json.loads((tmp_path / "sweep.json").read_text())["data"] == "samples"  # kept, without an earlier figure
  assert not (tmp_path / "sweep.png").exists()
  with pytest.raises(InputError, match="the same one is given more than once"):
    sweep_checkpoints([runs / "three"] * 2, "samples", [parse_sweep("jpeg")], output=tmp_path, workers=0)


def test_thresholds_of_known_curves():
  originals = np.arange(400)

  def threshold(shares, levels, **options):
    right = np.arange(400)[:, None] < 400 * np.array(shares)
    return detection_threshold(originals, right, levels, **options)

  found = threshold([0, 0.25, 0.75, 1], [1, 2, 4, 8], weak_first=True)
  assert found["level"] == pytest.approx(3)
  low, high = found["interval"]
  assert 2.5 < low < 3 < high < 3.5
  # The weak end is where the SSIM is high: of jpeg the last level.
  found = threshold([1, 0.75, 0.25, 0], [10, 20, 40, 80], weak_first=False)
  assert found["level"] == pytest.approx(30)
  low, high = found["interval"]
  assert 25 < low < 30 < high < 35
  assert not found["falls_back"]
  assert threshold([0.1, 0.6, 0.2, 0.9], [1, 2, 3, 4], weak_first=True)["falls_back"]
  early = threshold([0.6, 0.2, 0.9], [1, 2, 3], weak_first=True)
  assert (early["recognised"], early["falls_back"]) == ("at the weakest level already", True)
  never = threshold([0, 0.1], [1, 2], weak_first=True)
  assert never == {"level": None, "interval": [None, None], "falls_back": False, "recognised": "at no level"}
  assert threshold([0.1, 0.52], [1, 2], weak_first=True)["interval"][1] is None  # it may lie beyond
  assert threshold([0.7], [3], weak_first=True)["recognised"] == "at every level"
  sure = detection_threshold(originals, np.tile([False, True], (400, 1)), [1, 2], weak_first=True)
  assert (sure["level"], sure["interval"]) == (1.5, None)  # all alike: resampling shows no doubt
  # Half of the resamples never reach 1/2; the other half does within the levels, or at once.
  for shares in ([0.1, 0.49], [0.49, 0.49]):
    low, high = threshold(shares, [1, 2], weak_first=True)["interval"]
    assert high is None
    assert low is None or 1.9 < low < 2
  assert detection_threshold(np.zeros(9), np.eye(9) > 0, range(9), weak_first=True)["interval"] is None


def _outcome(sweep, psnr, names=1):
  """Three pictures at two levels, of which nothing is known but the PSNR."""
  answers = Answers(np.full((3, 2, 3), 1 / 3, np.float32), np.array([[0, 0, 1]] * 3, np.float32))
  similarity = np.array([[1, 0.5]] * 3, np.float32)
  return SweepOutcome(sweep, np.arange(3), similarity, np.array(psnr, np.float32), [answers] * names)


def test_the_weak_end_is_told_by_all_levels():
  """The last one alone, which looks like the first again, says nothing."""
  outcome = SweepOutcome(
    parse_sweep("gaussian_blur", "1,2,3,4"),
    np.arange(4),
    np.array([[0.9, 0.7, 0.5, 0.91]] * 4, np.float32),
    np.full((4, 4), 30, np.float32),
    [Answers(np.eye(2, dtype=np.float32)[[[0, 0, 1, 1]] * 4], np.array([[1, 0]] * 4, np.float32))],
  )
  (network,) = report_sweep(outcome, [("two", ("reference", "gaussian_blur"))])["networks"]
  assert network["threshold"]["level"] == 2.5
  assert not network["threshold"]["falls_back"]


def test_a_level_that_changes_nothing_has_no_psnr():
  outcome = _outcome(parse_sweep("gaussian_noise", "0,9"), [[np.inf, 30]] * 3)
  report = report_sweep(outcome, [("three", ("reference", "gaussian_blur", "gaussian_noise"))])
  assert report["psnr"] == {"mean": [None, 30], "intervals": [None, [30, 30]]}
  json.dumps(report, allow_nan=False)
  assert report["networks"][0]["false_alarms"] == 1
  assert "∞" in format_sweep(report)


def test_a_picture_that_a_level_does_not_change_leaves_the_psnr_of_the_others():
  outcome = _outcome(parse_sweep("gaussian_noise", "0,9"), [[np.inf, np.inf], [np.inf, 30], [np.inf, 32]])
  report = report_sweep(outcome, [("three", ("reference", "gaussian_blur", "gaussian_noise"))])
  assert report["psnr"]["mean"] == [None, 31]


def test_names_of_folders_are_no_formulas_and_stay_in_the_legend(tmp_path):
  names = ("reference", "gaussian_blur", "gaussian_noise")
  outcome = _outcome(parse_sweep("gaussian_noise", "0,9"), [[40, 30]] * 3, 2)
  report = report_sweep(outcome, [("_a$b$", names), ("c$", names)])
  draw_sweeps([report | {"image_size": 32}], tmp_path / "sweep")
  drawn = (tmp_path / "sweep.svg").read_text()
  assert "a$b$: half at no level" in drawn
