"""Severity sweeps: against doing it by hand, divided in any way, and thresholds of known curves."""

import json

import jax
import numpy as np
import pytest
from PIL import Image
from skimage import metrics

import jaxdistort
from jaxdistort.data import open_pictures
from jaxdistort.distortions import DISTORTIONS
from jaxdistort.errors import InputError
from jaxdistort.evaluation import format_sweep, parse_sweep, run_sweeps, sweep_networks
from jaxdistort.evaluation.sweep_reports import detection_threshold, report_sweep
from jaxdistort.evaluation.sweeping import Answers, Sweep, SweepOutcome, make_sweep_step
from jaxdistort.models import run_network
from jaxdistort.reporting import draw_sweeps, sweep_files, write_sweep
from jaxdistort.runtime.mesh import create_mesh, replicated
from jaxdistort.tasks import Classification, LabelSpace

_TWO = Classification(LabelSpace(("gaussian_blur",), ("blur",)))
_THREE = Classification(LabelSpace(("gaussian_blur", "gaussian_noise"), ("blur", "noise")))


def _load(runs, mesh):
  return [jaxdistort.load(run, sharding=replicated(mesh)) for run in runs]


def _run(runs, folder, *, devices, batch_size, sweeps, jpeg_quality=0):
  mesh = create_mesh(devices=jax.devices()[:devices])
  networks, broken = _load(runs, mesh), []
  outcomes = run_sweeps(
    sweeps,
    networks,
    open_pictures(f"folder:{folder}", "all"),
    mesh,
    jpeg_quality=jpeg_quality,
    batch_size=batch_size,
    workers=0,
    on_broken=lambda pictures, numbers, _: broken.extend(map(pictures.name, numbers)),
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
  assert parse_sweep("underexposure").levels[::11] == (-6, 0)
  assert parse_sweep("jpeg").levels == tuple(range(1, 101, 9))
  assert parse_sweep("jpeg", "10:90:9").levels == tuple(range(10, 91, 10))


def test_a_sweep_made_by_hand_is_checked_too():
  for levels in ((75.5,), (0,), (float("nan"),), (50, float("inf"))):
    with pytest.raises(InputError, match=r"^sweep: jpeg\.quality: expected "):
      Sweep("jpeg", "quality", levels)


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
    ("gaussian_blur", "0:99:3", r"^sweep: gaussian_blur\.radius: expected values within 0\.\.48 px, got 49\.5$"),
    ("jpeg", "10:90:7", r"^sweep: jpeg\.quality: expected whole numbers within 1\.\.100, got 23\.33333$"),
    ("jpeg", "75.5", r"expected whole numbers within 1\.\.100, got 75\.5$"),
    ("jpeg.quality", "0,50", r"expected values within 1\.\.100, got 0"),
    ("gaussian_noise", "inf", "expected START:STOP:COUNT"),
    ("twirl", "1,1e400", "expected START:STOP:COUNT"),
  ],
)
def test_wrong_sweeps_get_one_clear_line(name, levels, message):
  with pytest.raises(InputError, match=message):
    parse_sweep(name, levels)


@pytest.mark.long
def test_a_sweep_is_what_one_would_do_by_hand(untrained, folder_of_photographs):
  sweeps = [parse_sweep("gaussian_blur", "1,4,9"), parse_sweep("gaussian_noise", "5,25")]
  runs = [untrained / "variable", untrained / "six"]
  (blur, noise), networks, broken = _run(runs, folder_of_photographs, devices=1, batch_size=15, sweeps=sweeps)
  assert sorted(name.rsplit("/")[-1] for name in broken) == ["empty.jpg", "truncated.png"]
  assert blur.ssim.shape == (38, 3)
  assert [own.scores.shape for own in noise.answers] == [(38, 2, 3), (38, 2, 7)]
  assert (np.diff(blur.ssim) < 0).all()  # of every picture
  assert (np.diff(noise.psnr) < 0).all()

  pictures = open_pictures(f"folder:{folder_of_photographs}", "all")
  readable = [i for i in range(len(pictures)) if pictures.name(i) not in broken]
  rows = [0, 20, 37]
  clean = np.stack([pictures.load(readable[row], 32) for row in rows])
  distorted = np.stack([DISTORTIONS["gaussian_blur"](jax.random.key(0), image, radius=4.0) for image in clean])
  for row, given, image in zip(rows, clean, distorted, strict=True):
    similarity = metrics.structural_similarity(
      given, image, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert blur.ssim[row, 1] == pytest.approx(similarity, abs=1e-5)
  for network, found in zip(networks, blur.answers, strict=True):
    for images, scores in ((distorted, found.scores[rows, 1]), (clean, found.undistorted[rows])):
      logits, _ = run_network(network.structure, network.variables, images)
      np.testing.assert_allclose(scores, np.asarray(jax.nn.log_softmax(logits)), atol=1e-4)

  (shared, again), *_ = _run(runs, folder_of_photographs, devices=8, batch_size=64, sweeps=sweeps)
  np.testing.assert_allclose(shared.ssim, blur.ssim, atol=1e-6)
  np.testing.assert_array_equal(again.psnr, noise.psnr)  # the same noise, however the work is divided
  np.testing.assert_allclose(shared.answers[1].scores, blur.answers[1].scores, atol=1e-4)


@pytest.mark.long
def test_all_levels_share_one_compilation_and_their_random_numbers(untrained, photographs):
  mesh = create_mesh()
  (network,) = _load([untrained / "variable"], mesh)
  step = make_sweep_step(parse_sweep("gaussian_noise"), [network], mesh, jpeg_quality=75)
  images = jax.numpy.asarray(photographs[:, :32, :32])

  def at(level):
    return step((network.variables,), images, jax.numpy.uint32(0), jax.numpy.float32(level))

  _, first, _ = at(0), at(9), at(25)
  jax.tree.map(np.testing.assert_array_equal, first, at(9))
  assert step._cache_size() == 1


@pytest.mark.long
def test_what_a_sweep_writes(untrained, folder_of_photographs, tmp_path, monkeypatch):
  networks = _load([untrained / "variable", untrained / "six"], create_mesh())
  sweeps, broken = [parse_sweep("motion_blur", "2,40"), parse_sweep("jpeg", "10,90")], []
  report = sweep_networks(
    networks,
    f"folder:{folder_of_photographs}",
    sweeps,
    workers=0,
    on_broken=lambda _, numbers, __: broken.extend(numbers),
  )
  write_sweep(report, tmp_path / "new" / "sweep")
  folder = tmp_path / "new" / "sweep"
  assert json.loads((folder / "sweep.json").read_text()) == report
  assert report["split"] == "all"
  assert len(broken) == 2
  assert [network["name"] for network in report["networks"]] == ["variable", "six"]
  motion, jpeg = report["sweeps"]
  assert motion["networks"][0]["accuracy"] is None  # `variable` has no motion blur
  assert len(motion["networks"][1]["accuracy"]) == 2
  assert motion["fixed"] == {"angle": 90}
  assert motion["image_size"] == 32
  assert jpeg["ssim"]["mean"][0] < jpeg["ssim"]["mean"][1] < 1
  assert set(jpeg["networks"][0]["probabilities"]) == {"clean", "gaussian_blur", "gaussian_noise"}
  with Image.open(folder / "sweep.png") as picture:
    assert picture.width > 800
  assert (folder / "sweep.svg").stat().st_size > 1000
  assert "variable: does not know jpeg" in format_sweep(jpeg)

  monkeypatch.setattr(sweep_files, "draw_sweeps", lambda *given: (_ for _ in ()).throw(MemoryError))
  (folder / "sweep.json").unlink()
  with pytest.raises(MemoryError):
    write_sweep(report | {"data": "of a later sweep"}, folder)
  assert json.loads((folder / "sweep.json").read_text())["data"] == "of a later sweep"  # kept, without its figure
  assert not (folder / "sweep.png").exists()  # nor an earlier one


def test_a_network_given_twice_is_reported(untrained):
  networks = _load([untrained / "variable"], create_mesh()) * 2
  with pytest.raises(InputError, match="the same one is given more than once"):
    sweep_networks(networks, "samples", [parse_sweep("jpeg")], workers=0)


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
  assert never == {"level": None, "interval": None, "falls_back": False, "recognised": "at no level"}
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
  with np.errstate(divide="ignore"):
    undistorted = np.log(np.array([[0, 0, 1]] * 3, np.float32))
  answers = Answers(_THREE, np.log(np.full((3, 2, 3), 1 / 3, np.float32)), undistorted)
  similarity = np.array([[1, 0.5]] * 3, np.float32)
  return SweepOutcome(sweep, np.arange(3), similarity, np.array(psnr, np.float32), [answers] * names)


def test_the_weak_end_is_found_by_all_levels():
  """The last one alone, which looks like the first again, says nothing."""
  outcome = SweepOutcome(
    parse_sweep("gaussian_blur", "1,2,3,4"),
    np.arange(4),
    np.array([[0.9, 0.7, 0.5, 0.91]] * 4, np.float32),
    np.full((4, 4), 30, np.float32),
    [Answers(_TWO, 9 * np.eye(2, dtype=np.float32)[[[0, 0, 1, 1]] * 4] - 9, np.array([[0, -9]] * 4, np.float32))],
  )
  (network,) = report_sweep(outcome, ["two"])["networks"]
  assert network["threshold"]["level"] == 2.5
  assert not network["threshold"]["falls_back"]


def test_a_level_that_changes_nothing_has_no_psnr():
  outcome = _outcome(parse_sweep("gaussian_noise", "0,9"), [[np.inf, 30]] * 3)
  report = report_sweep(outcome, ["three"])
  assert report["psnr"] == {"mean": [None, 30], "intervals": [None, None]}  # of three originals
  json.dumps(report, allow_nan=False)
  assert report["networks"][0]["false_alarms"] == 1
  assert "∞" in format_sweep(report)


def test_a_picture_that_a_level_does_not_change_leaves_the_psnr_of_the_others():
  outcome = _outcome(parse_sweep("gaussian_noise", "0,9"), [[np.inf, np.inf], [np.inf, 30], [np.inf, 32]])
  report = report_sweep(outcome, ["three"])
  assert report["psnr"]["mean"] == [None, 31]


@pytest.mark.long
def test_names_of_folders_are_no_formulas_and_stay_in_the_legend(tmp_path):
  outcome = _outcome(parse_sweep("gaussian_noise", "0,9"), [[40, 30]] * 3, 2)
  report = report_sweep(outcome, ["_a$b$", "c$"])
  draw_sweeps([report | {"image_size": 32}], tmp_path / "sweep")
  drawn = (tmp_path / "sweep.svg").read_text()
  assert "a$b$: half at no level" in drawn
