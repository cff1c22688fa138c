"""What labels mean to a network."""

import numpy as np
import pytest

from jaxdistort.data import open_labelled
from jaxdistort.errors import InputError
from jaxdistort.evaluation.labels import known_rows, meaning_of, truths_of
from jaxdistort.tasks import LabelSpace

_LABELS = LabelSpace(("gaussian_blur", "jpeg", "defocus_blur", "overexposure"), ("blur", "coding", "blur", "light"))


def _opened(tmp_path, *rows):
  (tmp_path / "labels.csv").write_text("\n".join(("path,kinds,severity", *rows)))
  return open_labelled(f"labelled:{tmp_path}/labels.csv")


@pytest.mark.parametrize(
  ("name", "meaning"),
  [
    ("jpeg", ("coding", "jpeg")),
    ("overexposed", ("light", "overexposure")),
    ("underexposed", ("light", None)),  # of a distortion that the network does not know
    ("motion_blur", ("blur", None)),
    ("blur", ("blur", None)),
    ("gaussian_noise", None),
    ("noise", None),
    ("partial_defocus", None),
  ],
)
def test_a_name_is_a_kind_or_tells_a_group(name, meaning):
  assert meaning_of(name, _LABELS, "here") == meaning


def test_a_network_may_know_what_others_do_not():
  own = LabelSpace(("partial_defocus", "lens_flare"), ("blur", "flare"))
  assert meaning_of("partial_defocus", own, "here") == ("blur", "partial_defocus")
  assert meaning_of("flare", own, "here") == ("flare", None)


def test_a_name_that_is_none_is_an_error(tmp_path):
  pictures = _opened(tmp_path, "a.png,,", "b.png,gausian_blur,")
  with pytest.raises(InputError, match=r"labels.csv line 3: kinds: 'gausian_blur' is not .*mean 'gaussian_blur'\?"):
    known_rows(pictures, _LABELS)


def test_rows_without_a_meaning_are_left_out_and_told(tmp_path):
  rows = "a.png,jpeg,", "b.png,blur?;jpeg,", "c.png,noise;jpeg,", "d.png,partial_defocus,", "e.png,partial_defocus,"
  known = known_rows(_opened(tmp_path, *rows), _LABELS)
  assert [row.name for row in known.rows] == ["a.png"]
  assert len(known.pictures) == 1
  assert known.problems == (
    "left out: 1 of 5 pictures, since blur? is in doubt",
    "left out: 1 of 5 pictures, since the network knows neither noise nor a group of it",
    "left out: 2 of 5 pictures, since the network knows neither partial_defocus nor a group of it",
  )
  with pytest.raises(InputError, match="none of its labels counts; left out: 1 of 1 pictures, since blur"):
    known_rows(_opened(tmp_path, "b.png,blur?,"), _LABELS)


def test_truths_by_hand(tmp_path):
  rows = "a.png,overexposed;defocus_blur,;0.5", "b.png,,", "c.png,motion_blur;jpeg,0.9;0.25", "d.png,overexposure,1"
  truths, names = truths_of(_opened(tmp_path, *rows).rows, _LABELS)
  assert names.groups == ("blur", "coding", "light")
  assert names.labels == ("defocus_blur", "motion_blur", "jpeg", "overexposure")
  np.testing.assert_array_equal(names.group_of_label, [0, 0, 1, 2])
  np.testing.assert_array_equal(truths.groups, [[1, 0, 1], [0, 0, 0], [1, 1, 0], [0, 0, 1]])
  np.testing.assert_array_equal(truths.kinds, [[0, 0, 1, 1], [0] * 4, [0, 1, 0, 0], [0, 0, 0, 1]])
  np.testing.assert_array_equal(truths.told, [[1] * 4, [1] * 4, [0, 1, 0, 1], [1] * 4])
  np.testing.assert_array_equal(truths.labels, [[1, 0, 0, 1], [0] * 4, [0, 1, 1, 0], [0, 0, 0, 1]])
  unknown = np.nan
  known = [[unknown, unknown, 0.5, unknown], [unknown] * 4, [unknown, 0.25, unknown, unknown], [*[unknown] * 3, 1]]
  np.testing.assert_array_equal(truths.severities, known)
