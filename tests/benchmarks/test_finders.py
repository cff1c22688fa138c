"""The comparison of programs that find faults: what counts as found, as wrong and as a false alarm."""

import pytest

from benchmarks.finders import faults_of, figures, is_known, main
from jaxdistort.data.labelled import open_labelled
from tests.inference.recognisers import small_recogniser


def _rows(tmp_path, *labels):
  table = tmp_path / "labels.csv"
  table.write_text("path,kinds\n" + "".join(f"{number}.png,{own}\n" for number, own in enumerate(labels)))
  return open_labelled(f"labelled:{table}").rows


def test_labels_as_faults(tmp_path):
  rows = _rows(tmp_path, "clean", "defocus_blur;noise", "underexposed", "jpeg", "blur?", "half_blurred")
  assert [is_known(row) for row in rows] == [True, True, True, True, False, False]
  assert [faults_of(row) for row in rows[:4]] == [set(), {"blurred", "noisy"}, {"dark"}, set()]


def test_figures():
  truths = [{"blurred"}, {"blurred"}, {"noisy"}, set(), set()]
  found = [{"blurred"}, set(), {"blurred"}, {"blurred"}, set()]
  blurred, noisy, *_ = figures("it", truths, [False, False, False, True, True], found)
  assert blurred[2:] == (1, 2, 1, 1, 2)
  assert blurred.precision == 1 / 3
  assert noisy[2:] == (0, 1, 0, 0, 2)
  assert noisy.precision == 0


@pytest.mark.long
def test_ours_takes_part(tmp_path, capsys, photographs):
  from PIL import Image

  _rows(tmp_path, "clean", "blur")
  for number in range(2):
    Image.fromarray(photographs[number]).save(tmp_path / f"{number}.png")
  model = small_recogniser(tmp_path).save(tmp_path / "model.safetensors")
  main([str(tmp_path / "labels.csv"), "--checkpoint", str(model)])
  lines = capsys.readouterr().out.splitlines()
  assert lines[0] == "2 pictures, 1 of them clean"
  assert sum(line.startswith("| jaxdistort |") for line in lines) == 4
