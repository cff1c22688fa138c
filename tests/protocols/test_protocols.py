"""Protocols: shares, distributions, the stream, and every op inside them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import chi2_contingency

from jaxdistort.distortions import DISTORTIONS, jpeg
from jaxdistort.distortions.severities import PAPER
from jaxdistort.distortions.severities.perceptual import severity_of
from jaxdistort.errors import InputError
from jaxdistort.protocols import (
  PROTOCOLS,
  Constant,
  Kind,
  Protocol,
  Stage,
  Uniform,
  UniformInteger,
  distort_sharded,
  six,
  variable,
)
from jaxdistort.runtime.mesh import create_mesh, data_sharding

pytestmark = pytest.mark.optimised

_SIX, _VARIABLE = six(jpeg_quality=None), variable(jpeg_quality=None)
_BLUR = Stage((Kind("gaussian_blur", {"radius": Uniform(1, 11)}),), untouched=2, shuffled=True)
_NOISE = Stage(
  (Kind("gaussian_noise", {"amount": Uniform(5, 30)}, 2), Kind("monochrome_noise", {"amount": Uniform(5, 30)})),
  untouched=2,
  shuffled=True,
)
_TWO = Protocol("two", (_BLUR, _NOISE), None)
_distort_six, _distort_variable, _distort_two = (jax.jit(p.distort) for p in (_SIX, _VARIABLE, _TWO))


@pytest.fixture(scope="module")
def pictures(photographs):
  """uint8 [24, 32, 32, 3]."""
  return jnp.asarray(np.concatenate([photographs[:, y : y + 32, x : x + 32] for y, x in ((0, 0), (32, 0), (10, 30))]))


def _classes(samples):
  """0 for clean pictures, else 1 and the number of the only kind."""
  presence = np.asarray(samples.presence)
  assert presence.sum(axis=1).max() <= 1
  return np.where(presence.any(axis=1), 1 + presence.argmax(axis=1), 0)


def test_the_study_s_classes():
  kinds = ("gaussian_blur", "motion_blur", "gaussian_noise", "monochrome_noise", "marble", "twirl")
  assert six().kinds == kinds
  assert six().period == 7
  assert variable().kinds == ("gaussian_blur", "gaussian_noise")
  np.testing.assert_array_equal(np.bincount(variable().stages[0].pattern + 1), [1, 4, 4])
  own = {name: create().jpeg_quality for name, create in PROTOCOLS.items()}
  others = dict.fromkeys(("imagenet_c", "kadid10k", "dq495k", "wild"))
  assert own == {"six": 75, "variable": 75, "pairs": 75} | others


@pytest.mark.long
@pytest.mark.parametrize("first", [0, 3, 20])
@pytest.mark.parametrize("label", range(7))
def test_each_op_inside_the_protocol_is_the_op_alone(pictures, first, label):
  samples = _distort_six(jax.random.key(5), pictures, first)
  members = np.flatnonzero(_classes(samples) == label)
  assert abs(len(members) - len(pictures) / 7) < 1
  for i in members:
    expected = pictures[i]
    if label:
      name = _SIX.kinds[label - 1]
      key = jax.random.fold_in(jax.random.fold_in(jax.random.key(5), first + i), 0)
      expected = DISTORTIONS[name](key, expected, **PAPER.parameters(name))
    np.testing.assert_array_equal(samples.images[i], expected)


@pytest.mark.long
def test_jpeg_is_the_last_step_of_every_picture(pictures):
  plain = _distort_variable(jax.random.key(5), pictures, 0)
  coded = jax.jit(variable(jpeg_quality=40).distort)(jax.random.key(5), pictures, 0)
  np.testing.assert_array_equal(coded.images, jax.vmap(lambda i: jpeg(i, 40))(plain.images))


@pytest.mark.long
def test_kinds_take_turns_through_the_stream(pictures):
  for protocol, distort in ((_SIX, _distort_six), (_VARIABLE, _distort_variable)):
    classes = np.concatenate([_classes(distort(jax.random.key(k), pictures, 24 * k)) for k in range(21)])
    pattern = protocol.stages[0].pattern + 1
    np.testing.assert_array_equal(classes, np.tile(pattern, 24 * 21 // protocol.period))


@pytest.mark.long
def test_pictures_do_not_depend_on_how_the_stream_is_cut(pictures):
  """Of several stages: test_wild.py."""
  whole = _distort_variable(jax.random.key(0), pictures, 100)
  for start in (0, 8, 16):
    part = _distort_variable(jax.random.key(0), pictures[start : start + 8], 100 + start)
    jax.tree.map(lambda w, p, s=start: np.testing.assert_array_equal(w[s : s + 8], p), whole, part)


@pytest.mark.long
def test_eight_devices_distort_as_one(pictures):
  mesh = create_mesh()
  assert mesh.devices.size == 8
  sharded = jax.jit(distort_sharded(_VARIABLE, mesh))(
    jax.random.key(2), jax.device_put(pictures, data_sharding(mesh)), jnp.uint32(11)
  )
  assert len(sharded.images.sharding.device_set) == 8
  jax.tree.map(np.testing.assert_array_equal, sharded, _distort_variable(jax.random.key(2), pictures, jnp.uint32(11)))


@pytest.mark.long
def test_levels_come_with_their_pictures(pictures):
  samples = _distort_variable(jax.random.key(1), pictures, 0)
  assert [str(spec) for spec in _VARIABLE.level_specs] == [
    *("gaussian_blur.radius", "gaussian_noise.amount", "gaussian_noise.density")
  ]
  assert [spec.unit for spec in _VARIABLE.level_specs] == ["px", "levels", ""]
  for column, spec in enumerate(_VARIABLE.level_specs):
    own = samples.presence[:, _VARIABLE.kinds.index(spec.kind)]
    np.testing.assert_array_equal(np.isnan(samples.levels[:, column]), ~np.asarray(own))
  for i in np.flatnonzero(samples.presence[:, 0]):
    expected = DISTORTIONS["gaussian_blur"](jax.random.key(0), pictures[i], radius=samples.levels[i, 0])
    np.testing.assert_array_equal(samples.images[i], expected)
  expected = severity_of("gaussian_blur", {"radius": samples.levels[:, 0]})
  np.testing.assert_array_equal(samples.severity[:, 0], jnp.nan_to_num(expected))
  assert np.all(samples.visibility[:, 0] >= 0.5 * samples.presence[:, 0].astype(float))
  np.testing.assert_array_equal(samples.severity[~np.asarray(samples.presence)], 0)


@pytest.mark.long
def test_distributions_of_the_variable_protocol():
  tiny = jnp.zeros((9 * 700, 1, 1, 3), jnp.uint8)
  levels = np.asarray(_distort_variable(jax.random.key(3), tiny, 0).levels)
  radius, amount, density = (column[np.isfinite(column)] for column in levels.T)
  assert len(radius) == len(amount) == len(density) == 4 * 700
  assert 1 <= radius.min() < 1.05
  assert 10.95 < radius.max() < 11
  assert abs(radius.mean() - 6) < 0.2
  np.testing.assert_array_equal(np.unique(amount), np.arange(1, 27))
  assert 0.1 <= density.min() < 0.11
  assert 1.09 < density.max() < 1.1
  assert abs(np.corrcoef(amount, density)[0, 1]) < 0.05


@pytest.mark.long
def test_two_stages_are_one_after_the_other(pictures):
  samples = _distort_two(jax.random.key(4), pictures, 9)
  assert _TWO.kinds == ("gaussian_blur", "gaussian_noise", "monochrome_noise")
  both = np.flatnonzero(samples.presence[:, 0] & samples.presence[:, 1])
  assert len(both)
  for i in both:
    key = jax.random.fold_in(jax.random.key(4), 9 + i)
    blurred = DISTORTIONS["gaussian_blur"](key, pictures[i], radius=samples.levels[i, 0])
    noisy = DISTORTIONS["gaussian_noise"](jax.random.fold_in(key, 256), blurred, amount=samples.levels[i, 1])
    np.testing.assert_array_equal(samples.images[i], noisy)


@pytest.mark.long
def test_shuffled_stages_keep_their_shares_and_are_independent():
  numbers = jnp.arange(30_000, dtype=jnp.uint32)
  choices = [np.asarray(jax.jit(s.choose, static_argnums=1)(numbers, salt)) for salt, s in enumerate(_TWO.stages)]
  for stage, own in zip(_TWO.stages, choices, strict=True):
    decks = np.sort(own.reshape(-1, stage.period), axis=1)
    np.testing.assert_array_equal(decks, np.tile(np.sort(stage.pattern), (len(decks), 1)))
    assert len(np.unique(own.reshape(-1, stage.period), axis=0)) > 2  # in many orders
  table = np.histogram2d(choices[0], choices[1], bins=[np.arange(-1.5, 1), np.arange(-1.5, 2)])[0]
  assert chi2_contingency(table).pvalue > 1e-3


@pytest.mark.long
@pytest.mark.parametrize("stage", [_SIX.stages[0], _VARIABLE.stages[0], _BLUR, _NOISE])
@pytest.mark.parametrize("count", [1, 4, 9, 14, 32])
def test_no_run_holds_more_of_a_kind_than_it_has_places(stage, count):
  choices = np.asarray(stage.choose(jnp.arange(400, dtype=jnp.uint32), 0))
  windows = np.lib.stride_tricks.sliding_window_view(choices, count)
  for k, most in enumerate(stage.most(count)):
    assert (windows == k).sum(axis=1).max() <= most
  if not stage.shuffled:
    assert sum(stage.most(count)) <= count + stage.period
    if count % stage.period == 0:  # exact
      assert stage.most(count) == [kind.share * count // stage.period for kind in stage.kinds]


@pytest.mark.long
def test_the_accelerators_form_is_the_other_one(pictures):
  """All pictures of a kind at once, here run on CPU: the same pictures as one by one."""
  from jaxdistort.protocols import stages

  stage, keys = _VARIABLE.stages[0], jax.random.split(jax.random.key(0), len(pictures))
  choices = stage.choose(jnp.arange(5, 29, dtype=jnp.uint32), 0)
  levels = {"radius": jnp.linspace(1, 10, len(pictures), dtype=jnp.float32)}
  order, ends = jnp.argsort(choices), jnp.cumsum(jnp.bincount(choices + 1, length=3))
  run = stages._Run(DISTORTIONS["gaussian_blur"], order, ends[0], ends[1], stage.most(len(pictures))[0])
  for form in (run.at_once, run.one_by_one):
    made = form(keys, pictures, levels)
    expected = jax.vmap(lambda image, radius: DISTORTIONS["gaussian_blur"](None, image, radius=radius))(
      pictures, levels["radius"]
    )
    np.testing.assert_array_equal(made, jnp.where((choices == 0)[:, None, None, None], expected, pictures))


@pytest.mark.parametrize(
  ("kind", "message"),
  [
    (Kind("gausian_blur"), "protocol x: kind: 'gausian_blur' is not one of .*did you mean 'gaussian_blur'"),
    (Kind("gaussian_blur", {"sigma": Constant(1)}), "parameter of gaussian_blur: 'sigma' is not one of radius"),
    (
      Kind("gaussian_blur", {"radius": Uniform(1, 60)}),
      r"protocol x: gaussian_blur.radius: .* 0\.\.48 px, got 1\.\.60",
    ),
    (Kind("gaussian_noise", {"amount": Constant(float("inf"))}), "gaussian_noise.amount: expected values within"),
    (Kind("jpeg", {"quality": Uniform(10, 90)}), "jpeg.quality: expected whole numbers"),
  ],
)
def test_bounds_are_checked_when_a_protocol_is_built(kind, message):
  with pytest.raises(InputError, match=message):
    Protocol("x", (Stage((kind,)),))


def test_whole_numbers_are_known_as_such_and_stages_must_be_shuffled():
  stage = Stage((Kind("jpeg", {"quality": UniformInteger(10, 90)}),), untouched=1)
  assert Protocol("x", (stage,), None).kinds == ("jpeg",)
  with pytest.raises(InputError, match="of several stages each must be shuffled"):
    Protocol("x", (stage, stage), None)
  for quality in (0, 101, 75.5, float("nan"), float("inf")):
    with pytest.raises(InputError, match=rf"jpeg quality must be within 1\.\.100, got {quality}; whole numbers only"):
      Protocol("x", (stage,), quality)
