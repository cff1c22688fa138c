"""Protocols of several stages: shares, independence, the stream, nuisance, visibility."""

import itertools
from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import chi2_contingency

from jaxdistort.distortions import GROUPS
from jaxdistort.errors import InputError
from jaxdistort.protocols import (
  Constant,
  Kind,
  Nuisance,
  Power,
  Protocol,
  Stage,
  Uniform,
  distort_sharded,
  dq495k,
  imagenet_c,
  kadid10k,
  pairs,
  six,
  wild,
)
from jaxdistort.protocols.visibility import share_left, visibility_of
from jaxdistort.runtime.mesh import create_mesh, data_sharding

pytestmark = pytest.mark.optimised

_LIGHT = Kind("brightness", severity=Power(0, 1, 2))
_NOISE, _CAST = (Kind(name, severity=Uniform(0, 1)) for name in ("impulse_noise", "colour_cast"))
_SMALL = Protocol(
  "small",
  tuple(Stage(kinds, untouched=3 * len(kinds), shuffled=True) for kinds in ((_LIGHT,), (_NOISE, _CAST))),
  None,
  Nuisance(),
)
_distort_small = jax.jit(_SMALL.distort)


@pytest.fixture(scope="module")
def pictures(photographs):
  """uint8 [64, 64, 64, 3]."""
  return jnp.asarray(np.concatenate([np.roll(photographs, i, axis=1) for i in range(8)]))


def _difference(first, second):
  return np.abs(np.asarray(first, int) - np.asarray(second, int)).mean()


@pytest.mark.long
def test_shares_of_wild_are_exact_in_every_period():
  for salt, stage in enumerate(wild().stages):
    choices = np.asarray(stage.choose(jnp.arange(40 * stage.period, dtype=jnp.uint32), salt)).reshape(40, -1)
    shares = [kind.share for kind in stage.kinds]
    for own in choices:
      np.testing.assert_array_equal(np.bincount(own + 1), [3 * sum(shares), *shares])
    assert len({own.tobytes() for own in choices}) == 40  # in another order each time


@pytest.mark.long
def test_stages_of_wild_are_independent():
  numbers = jnp.arange(100_000, dtype=jnp.uint32)
  choices = [np.asarray(stage.choose(numbers, salt)) for salt, stage in enumerate(wild().stages)]
  for (i, first), (j, second) in itertools.combinations(enumerate(choices), 2):
    table = np.zeros((first.max() + 2, second.max() + 2))
    np.add.at(table, (first + 1, second + 1), 1)
    assert chi2_contingency(table).pvalue > 1e-4, (i, j)
  untouched = np.mean([np.all([c[t] < 0 for c in choices]) for t in range(0, 100_000, 7)])
  assert untouched == pytest.approx(0.75**5, abs=0.02)


@pytest.mark.long
def test_a_third_of_wild_is_clean_or_nearly_so():
  """As drawn: with no kind whose severity begins to be seen."""
  numbers, stages = 4000, wild().stages
  keys = jax.vmap(jax.random.fold_in, (None, 0))(jax.random.key(0), jnp.arange(numbers))
  seen = np.zeros(numbers, bool)
  for salt, stage in enumerate(stages):
    choices = np.asarray(stage.choose(jnp.arange(numbers, dtype=jnp.uint32), salt))
    strength = np.asarray(jax.vmap(lambda key, s=salt: Power(0, 1, 1.5).draw(jax.random.fold_in(key, 256 * s)))(keys))
    seen |= (choices >= 0) & (strength > 0.13)
  assert 0.28 < np.mean(~seen) < 0.42


@pytest.mark.long
def test_picture_t_is_the_same_in_batches_of_7_32_and_64_and_on_eight_devices(pictures):
  whole = _distort_small(jax.random.key(1), pictures, 0)
  assert whole.images.shape == whole.clean.shape == (64, 24, 24, 3)
  for size in (7, 32):
    for start in range(0, 64 - size + 1, size):
      part = _distort_small(jax.random.key(1), pictures[start : start + size], start)
      jax.tree.map(lambda w, p, s=start, n=size: np.testing.assert_array_equal(w[s : s + n], p), whole, part)
  mesh = create_mesh()
  sharded = jax.jit(distort_sharded(_SMALL, mesh))(
    jax.random.key(1), jax.device_put(pictures, data_sharding(mesh)), jnp.uint32(0)
  )
  jax.tree.map(np.testing.assert_array_equal, sharded, whole)


@pytest.mark.long
def test_half_of_the_pictures_are_not_coded(pictures):
  coded = np.asarray(Nuisance().after(jax.random.split(jax.random.key(0), len(pictures)), pictures))
  is_as_it_was = np.all(coded == np.asarray(pictures), axis=(1, 2, 3))
  assert 0.2 < is_as_it_was.mean() < 0.8
  assert Nuisance().describe()["coded"] == 0.5


def test_a_picture_to_which_nothing_was_done_has_its_nuisance_alone(pictures):
  samples, other = (_distort_small(jax.random.key(seed), pictures, 0) for seed in (1, 2))
  clean = ~np.asarray(samples.presence).any(axis=1)
  assert _SMALL.clean_side(120) == 256
  assert 0.4 < np.mean(clean) < 0.7
  assert _difference(samples.images[clean], samples.clean[clean]) < 6  # the JPEG
  assert _difference(samples.clean, other.clean) > 10  # another view


@pytest.mark.long
def test_half_of_the_pictures_begin_at_the_corner_and_half_anywhere():
  places = jnp.arange(16 * 16, dtype=jnp.uint8).reshape(16, 16, 1)
  keys = jax.random.split(jax.random.key(0), 400)
  (cut,) = Nuisance(cut=8).cut_off(keys, jnp.broadcast_to(places, (400, 16, 16, 3)))
  assert cut.shape == (400, 8, 8, 3)
  rows, columns = np.divmod(np.asarray(cut[:, 0, 0, 0]), 16)
  np.testing.assert_array_equal(cut - cut[:, :1, :1], np.broadcast_to(places[:8, :8], cut.shape))
  assert set(rows) == set(columns) == set(range(9))
  assert np.mean((rows == 0) & (columns == 0)) == pytest.approx(0.5 + 0.5 / 81, abs=0.06)


@pytest.mark.long
def test_the_camera_adds_its_grain_to_what_the_lens_has_blurred(pictures):
  """Where its turn comes before the blur, its grain is blurred away."""
  blur = Stage((Kind("gaussian_blur", {"radius": Constant(9.0)}),), shuffled=True)
  noise = Stage((Kind("gaussian_noise", {"amount": Constant(0.0)}),), shuffled=True)

  def roughness(camera_before):
    nuisance = Nuisance(
      camera_before=camera_before, grain=Constant(12.0), sharpening=Constant(0.0), quality=Constant(100)
    )
    samples = jax.jit(Protocol("two", (blur, noise), None, nuisance).distort)(jax.random.key(0), pictures[:8], 0)
    levels = np.asarray(samples.images, float)
    return np.abs(np.diff(levels, n=2, axis=2)).mean()

  assert roughness(1) > 2 * roughness(0)


@pytest.mark.long
def test_pairs_are_all_ordered_pairs():
  stages = pairs().stages
  for first in (0, 17, 60):
    numbers = first + jnp.arange(30, dtype=jnp.uint32)
    choices = [np.asarray(stage.choose(numbers, salt)).tolist() for salt, stage in enumerate(stages)]
    if first % 30 == 0:
      assert set(zip(*choices, strict=True)) == set(itertools.permutations(range(6), 2))
    assert all(one != other for one, other in zip(*choices, strict=True))
  assert [[kind.name for kind in stage.kinds] for stage in stages] == [list(pairs().kinds)] * 2
  assert pairs().kinds == six().kinds


@pytest.mark.long
@pytest.mark.parametrize(("protocol", "kinds", "levels"), [(imagenet_c, 17, 5), (kadid10k, 25, 5)])
def test_protocols_by_tables_draw_whole_settings(protocol, kinds, levels):
  (stage,) = protocol().stages
  assert len(stage.kinds) == len(protocol().kinds) == kinds
  keys = jax.random.split(jax.random.key(0), 64)
  for kind in stage.kinds:
    drawn = {
      name: np.asarray(values) for name, values in jax.vmap(lambda key, kind=kind: kind.draw(key, 0)[0])(keys).items()
    }
    fixed = [n for n in drawn if not any(hasattr(level[n], "support") for level in kind.levels)]
    settings = {tuple(float(np.float32(level[n])) for n in fixed) for level in kind.levels}
    assert {tuple(float(drawn[n][i]) for n in fixed) for i in range(64)} == settings


def test_dq495k_has_its_types_in_equal_parts_and_its_levels_as_severities():
  (stage,) = dq495k().stages
  shares = Counter({"nothing": stage.untouched})
  for kind in stage.kinds:
    shares[kind.distortion.group] += kind.share
  assert shares == dict.fromkeys(("nothing", "noise", "blur", "coding", "light"), 6)
  assert stage.period == 30
  keys = jax.random.split(jax.random.key(0), 64)
  for kind in (stage.kinds[0], stage.kinds[-1]):
    own, severity = jax.vmap(lambda key, kind=kind: kind.draw(key, 0))(keys)
    drawn = np.asarray(own[kind.distortion.graded[0]])
    assert severity.dtype == jnp.float32
    for level, strength in zip(kind.levels, kind.severities, strict=True):
      here = np.isclose(severity, strength)
      assert here.any()
      np.testing.assert_allclose(drawn[here], level[kind.distortion.graded[0]], rtol=1e-6)


@pytest.mark.long
def test_pictures_of_dq495k_have_one_type_and_one_level(pictures):
  """Though two of its ways to blur are one distortion of ours."""
  protocol = Protocol("few", (Stage(tuple(k for k in dq495k().stages[0].kinds if k.name == "glass_blur"), 1),), None)
  samples = jax.jit(protocol.distort)(jax.random.key(0), pictures[:24], 0)
  np.testing.assert_array_equal(samples.presence[:, 0], np.arange(24) % 3 > 0)
  levels = np.asarray(samples.severity[:, 0]) * 5
  np.testing.assert_allclose(levels, np.round(levels), atol=1e-5)
  assert np.all((levels > 0.9) == np.asarray(samples.presence[:, 0]))
  sigma = np.asarray(samples.levels)[:, [spec.parameter for spec in protocol.level_specs].index("sigma")]
  assert np.all(np.isnan(sigma[0::3]))
  assert np.all(sigma[1::3] > 0)
  assert np.all(sigma[2::3] == 0)


@pytest.mark.long
def test_severity_moves_the_graded_parameters_and_draws_the_others():
  keys = jax.random.split(jax.random.key(0), 200)
  kind = Kind("motion_blur", severity=Uniform(0.2, 0.8))
  own, severity = jax.vmap(lambda key: kind.draw(key, 0))(keys)
  order = np.argsort(severity)
  assert np.all(np.diff(np.asarray(own["distance"])[order]) >= 0)
  assert 0.2 <= severity.min() < 0.3
  assert 0.7 < severity.max() <= 0.8
  assert len(np.unique(own["angle"])) == 200
  fixed, _ = Kind("motion_blur", {"angle": Constant(1.0)}, severity=Uniform(0, 1)).draw(keys[0], 0)
  assert fixed["angle"] == 1


@pytest.mark.long
def test_a_slight_distortion_is_hardly_visible_and_a_later_one_hides_it():
  kinds = ("gaussian_blur",) * 3
  severities = jnp.asarray([0.02, 0.3, 0.9], jnp.float32)
  alone = visibility_of(kinds, 0.6 * severities**2)
  assert alone[0] < 0.35
  assert 0.85 < alone[1] < alone[2]
  noise = jnp.int32(GROUPS.index("noise"))
  assert np.all(share_left(kinds, severities, noise, jnp.float32(0)) == 1)
  left = share_left(kinds, severities, noise, jnp.float32(0.9))
  assert 0 <= left[1] < 0.7
  assert left[1] <= left[2]  # the stronger is hidden less


@pytest.mark.parametrize(
  ("kind", "message"),
  [
    (
      Kind("gaussian_blur", severity=Uniform(0, 2)),
      r"severity of gaussian_blur: expected values within 0\.\.1, got 0\.\.2",
    ),
    (Kind("gaussian_blur", severity=Uniform(0, 1), levels=({"radius": 1},)), "expected a severity or levels"),
    (
      Kind("gaussian_blur", levels=({"radius": 1},), severities=(0.1, 0.2)),
      r"severities of gaussian_blur: expected one within 0\.\.1 for every level, got 2 for 1 levels",
    ),
    (Kind("gaussian_blur", levels=({"radius": 999},)), r"gaussian_blur\.radius: expected values within"),
  ],
)
def test_what_a_kind_cannot_be(kind, message):
  with pytest.raises(InputError, match=f"protocol mine.*{message}"):
    Protocol("mine", (Stage((kind,)),))
