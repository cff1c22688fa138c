"""Batches: order, position, workers, the last batch, where they lie."""

import jax
import numpy as np
import pytest

from jaxdistort.data import evaluation_batches, open_pictures, training_batches
from jaxdistort.runtime.mesh import create_mesh

_OPTIONS = {"side": 32, "batch_size": 8}


def _take(pictures, count, seed=4, devices=1, **options):
  mesh = create_mesh(devices=jax.devices()[:devices])
  with training_batches(pictures, pictures.order(seed), mesh=mesh, **(_OPTIONS | options)) as batches:
    return [next(batches) for _ in range(count)]


def _assert_same(first, second):
  for a, b in zip(first, second, strict=True):
    np.testing.assert_array_equal(a.numbers, b.numbers)
    np.testing.assert_array_equal(a.images, b.images)


def test_a_position_is_a_number_of_batches():
  pictures = open_pictures("0.5*samples+0.5*synthetic", "train")
  whole = _take(pictures, 5, workers=0)
  _assert_same(whole[3:], _take(pictures, 2, workers=0, first_batch=3))
  assert np.any(whole[0].numbers != _take(pictures, 1, workers=0, seed=5)[0].numbers)


@pytest.mark.long
def test_workers_do_not_change_the_batches(folder_of_photographs):
  pictures = open_pictures(f"folder:{folder_of_photographs}", "train")
  threads = _take(pictures, 4, workers=0)
  _assert_same(threads[1:], _take(pictures, 3, workers=2, first_batch=1))


def test_an_epoch_holds_every_picture_once_and_the_next_is_in_another_order(folder_of_photographs):
  pictures = open_pictures(f"folder:{folder_of_photographs}", "train")
  batches = _take(pictures, 2 * len(pictures), workers=0, batch_size=1)
  numbers = [int(b.numbers[0]) for b in batches]
  first, second = numbers[: len(pictures)], numbers[len(pictures) :]
  assert sorted(first) == sorted(second) == list(range(len(pictures)))
  assert first != second
  broken = {pictures.name(int(b.broken[0])) for b in batches if b.broken[0] >= 0}
  assert {name.rsplit("/", 1)[1] for name in broken} <= {"empty.jpg", "truncated.png"}


@pytest.mark.parametrize("period", [7, 9])
def test_every_source_of_a_mix_meets_every_place_of_a_period(period):
  """Sources that took turns in step with a protocol's classes would give the label away (6 + 1 sources, 7 classes)."""
  pictures = open_pictures(f"{period - 1}*samples+synthetic", "train")
  numbers = pictures.order(4).numbers(np.arange(2048, dtype=np.uint32))
  places = np.arange(len(numbers)) % period
  shares = np.bincount(places[numbers >= len(pictures.members[0])], minlength=period) / np.bincount(places)
  assert np.all(shares > 0)
  assert np.all(shares < 0.5)


def test_evaluation_sees_every_picture_once(folder_of_photographs):
  pictures = open_pictures(f"folder:{folder_of_photographs}", "all")
  mesh = create_mesh()
  with evaluation_batches(pictures, size=32, batch_size=16, workers=0, mesh=mesh) as batches:
    seen = list(batches)
  numbers = np.concatenate([b.numbers for b in seen])
  np.testing.assert_array_equal(numbers, [*range(40), *[-1] * 8])
  broken = np.concatenate([b.broken for b in seen])
  assert np.sum(broken >= 0) == 2
  assert np.all(np.asarray(seen[2].images)[8:] == 0)
  assert len(seen[0].images.sharding.device_set) == 8
  np.testing.assert_array_equal(np.asarray(seen[0].images)[3], pictures.load(3, 32))
