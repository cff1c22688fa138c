"""Answers in words, as records, and as a reason to refuse a picture."""

import pytest

from jaxdistort.errors import InputError
from jaxdistort.inference.advice import advice_on
from jaxdistort.inference.verdicts import advice_of, in_words, parse_condition, record_of, refusals
from jaxdistort.protocols import wild
from jaxdistort.tasks import Answer, Finding, GroupFinding, LabelSpace
from jaxdistort.tasks.levels import Level

_LABELS = LabelSpace(("gaussian_blur", "defocus_blur", "jpeg"), ("blur", "blur", "coding"))


def _answer(defocus=True, doubtful=False, unclear=""):
  return Answer(
    False,
    0.02,
    (
      Finding("defocus_blur", "blur", 0.9, 0.62, defocus, Level("radius", 3.14159, "px", 0.6)),
      Finding("gaussian_blur", "blur", 0.3, 0.5, False),
      Finding("jpeg", "coding", 0.2, 0.1, False, Level("quality", 90, "", None)),
    ),
    (GroupFinding("blur", 0.95, True, False, 0.62), GroupFinding("coding", 0.2, False, doubtful, 0.1)),
    unclear=unclear,
  )


_CLEAN = Answer(True, 0.9, (), (GroupFinding("blur", 0.1, False, False, 0.1),))


def test_in_words():
  assert in_words(_answer()) == "blur (defocus_blur 0.62, radius 3.14 ± 0.6 px)"
  assert in_words(_answer(defocus=False, doubtful=True)) == "blur 0.62; cannot rule out coding"
  assert in_words(_CLEAN) == "clean"
  assert in_words(_answer(unclear="too small: 8 x 8 pixels")) == "cannot tell, too small: 8 x 8 pixels"


def test_of_what_cannot_be_told_nothing_is_said():
  unclear = Answer(False, 0.1, (), (GroupFinding("blur", 0.9, False, False, 0.1),), unclear="flat")
  assert record_of(unclear) == {"clean": False, "unclear": "flat", "distortions": [], "doubtful": []}
  assert advice_of(unclear) == []
  assert refusals(unclear, [parse_condition("any", _LABELS)]) == []


def test_records():
  assert record_of(_CLEAN) == {"clean": True, "unclear": None, "distortions": [], "doubtful": []}
  assert record_of(_answer(doubtful=True)) == {
    "clean": False,
    "unclear": None,
    "distortions": [
      {
        "group": "blur",
        "kind": "defocus_blur",
        "probability": 0.9,
        "severity": 0.62,
        "level": {"parameter": "radius", "value": 3.14159, "unit": "px", "error": 0.6},
        "angle": None,
      }
    ],
    "doubtful": ["coding"],
  }
  (alone,) = record_of(_answer(defocus=False))["distortions"]
  assert alone == {"group": "blur", "kind": None, "probability": 0.95, "severity": 0.62, "level": None, "angle": None}


@pytest.mark.parametrize(
  ("text", "refused"),
  [
    ("blur", True),
    ("blur>=0.5", True),
    ("blur >= 0.7", False),
    ("defocus_blur>=0.62", True),
    ("any>=0.8", False),
    ("any", True),
    ("coding", False),
    ("jpeg", False),
    ("gaussian_blur", False),
  ],
)
def test_conditions(text, refused):
  condition = parse_condition(text, _LABELS)
  assert bool(refusals(_answer(), [condition])) == refused
  assert not refusals(_CLEAN, [condition])


@pytest.mark.parametrize("text", ["", "fog", "blur>0.5", "blur>=", "blur>=1.5", "blur>=.", "blur>=0.5.5", "any>=-1"])
def test_conditions_that_cannot_be(text):
  with pytest.raises(InputError, match=r"^condition .*expected"):
    parse_condition(text, _LABELS)


def test_advice():
  (sentence,) = advice_of(_answer())
  assert "disk" in sentence
  (sentence,) = advice_of(_answer(defocus=False))
  assert "deblurring" in sentence
  assert not advice_of(_CLEAN)
  protocol = wild()
  for kind, group in zip(protocol.kinds, protocol.groups, strict=True):
    assert advice_on(group, kind) != advice_on(group) or group == "resolution", kind
    assert advice_on(group, kind).endswith(".")
    assert advice_on(group)
  assert not advice_on("unheard of")
