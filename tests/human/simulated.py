"""Tests without pictures, and people whose every answer is known."""

import random

from jaxdistort.human import Given, Question, Questionnaire
from jaxdistort.human.questionnaire import CHOICE, LEVELS, NAMING
from jaxdistort.tasks import CLEAN

KINDS = ("gaussian_blur", "defocus_blur", "gaussian_noise", "jpeg")
TYPES = ("lens_blur", "jpeg", "white_noise", "mean_shift", "high_sharpen")


def naming(rounds=1):
  """Each of four kinds at each of five levels, and five clean ones, in every round."""
  asked = [(kind, level) for kind in KINDS for level in range(1, LEVELS + 1)] + [(CLEAN, 0)] * 5
  questions = tuple(Question(f"{place}.png", *own) for place, own in enumerate(asked * rounds))
  return Questionnaire(NAMING, 0, KINDS, questions, "none")


def choosing():
  """Each of five types once, at level 2."""
  choices = [tuple(kind for kind in TYPES if kind != TYPES[place - 1]) for place in range(len(TYPES))]
  questions = tuple(Question("a.png", kind, 2, own) for kind, own in zip(TYPES, choices, strict=True))
  return Questionnaire(CHOICE, 0, TYPES, questions, "none")


def person(questionnaire, name, right, exact, seed=0):
  """Somebody who names `right` of the questions rightly, `exact` of those with their level, others one level off."""
  numbers = list(range(len(questionnaire.questions)))
  random.Random(f"{name} {seed}").shuffle(numbers)
  numbers.sort(key=lambda number: questionnaire.questions[number].kind == CLEAN)  # of these no level can be told
  given = []
  for place, number in enumerate(numbers):
    truth = questionnaire.questions[number]
    wrong = [kind for kind in questionnaire.answers_to(number) if kind != truth.kind]
    kind = truth.kind if place < right else wrong[place % len(wrong)]
    level = truth.level or 3
    if place >= exact:
      level += 1 if level < LEVELS else -1
    given.append(Given(name, number, kind, None if kind == CLEAN else level, 2.0))
  return given
