"""Calibration of a recogniser from end to end, on small pictures."""

import dataclasses

import numpy as np
import pytest

from jaxdistort.data import open_pictures
from jaxdistort.distortions.distributions import Power, Uniform
from jaxdistort.errors import InputError
from jaxdistort.evaluation import calibrate
from jaxdistort.evaluation.wholes import distorted_whole, whole_picture
from jaxdistort.progress import SILENT
from jaxdistort.protocols import Kind, Protocol, Stage
from jaxdistort.runtime.mesh import create_mesh, replicated
from jaxdistort.tasks import Classification, LabelSpace
from tests.inference.recognisers import small_recogniser


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory):
  return small_recogniser(tmp_path_factory.mktemp("run"), replicated(create_mesh()))


@pytest.mark.long
def test_the_rate_of_false_alarms_is_kept(recogniser, folder_of_photographs):
  calibrated = calibrate(recogniser, f"folder:{folder_of_photographs}", false_alarms=0.1, workers=0)
  report, task = calibrated.report, calibrated.recogniser.task
  assert 0 <= report["false_alarms"]["pictures"] <= 0.1
  found = report["found_on_clean"]
  assert bool(found) == (report["false_alarms"]["pictures"] > 0)
  surest = [max(own["thresholds"].values()) for own in found]
  assert surest == sorted(surest, reverse=True)
  assert min(surest, default=1) >= 1
  errors = report["expected_calibration_error"]
  assert errors["after"] < errors["before"]
  assert sum(own["answers"] for own in report["reliability"]["after"]) > 100
  thresholds, doubts = np.array(task.calibration.thresholds), np.array(task.calibration.doubts)
  assert (doubts <= thresholds).all()
  assert list(report["thresholds"]) == list(task.labels.kinds)


def test_only_a_recognition_is_calibrated(recogniser):
  labels = LabelSpace(("jpeg",), ("coding",))
  other = dataclasses.replace(
    recogniser, description=dataclasses.replace(recogniser.description, task=Classification(labels))
  )
  with pytest.raises(InputError, match="its task is classification; only a recognition is calibrated"):
    calibrate(other, "samples")


@pytest.mark.long
def test_what_is_told_by_the_whole_picture_is_shown_on_whole_pictures(recogniser, folder_of_photographs):
  """With a picture that cannot be read among them."""
  labels = LabelSpace(("underexposure", "overexposure", "jpeg"), ("light", "light", "coding"))
  known = small_recogniser(recogniser.path, replicated(create_mesh()), labels)
  pictures = open_pictures(f"folder:{folder_of_photographs}", "train")
  kinds = (
    Kind("underexposure", {"stops": Power(0, -4.5, 1.5)}),
    Kind("overexposure", {"stops": Power(0, 3, 1.5)}),
    Kind("jpeg", severity=Power(0, 1, 1)),
  )
  found = dict(distorted_whole(known, Protocol("own", (Stage(kinds),)), pictures, 16, SILENT))
  assert list(found) == [0, 1]  # jpeg is told by squares
  for place, scores in found.items():
    strengths = known.task.strengths(scores)[:, place]
    assert len(pictures) / 2 < len(strengths) < len(pictures)  # the rest cannot be read, or not be seen
    assert strengths.mean() > 0.15


@pytest.mark.slow
def test_of_a_kind_that_nobody_sees_there_are_no_whole_pictures(recogniser, folder_of_photographs):
  labels = LabelSpace(("overexposure",), ("light",))
  known = small_recogniser(recogniser.path, replicated(create_mesh()), labels)
  pictures = open_pictures(f"folder:{folder_of_photographs}", "train")
  faint = Protocol("own", (Stage((Kind("overexposure", {"stops": Uniform(0, 0.01)}),)),))
  assert not dict(distorted_whole(known, faint, pictures, 16, SILENT))


def test_whole_pictures_of_what_is_no_file_of_its_own(folder_of_photographs):
  """Of several squares of a file each is a picture."""
  pictures = open_pictures(f"cuts:{folder_of_photographs}", "train")
  assert whole_picture(pictures, 0).size == (256, 256)
  assert pictures.original(0) == pictures.names_of_originals()[0]
