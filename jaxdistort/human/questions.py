"""A test made from a folder of clean pictures, and what it shows."""

import functools
import hashlib
import io
import itertools
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import jax
import numpy as np
from PIL import Image

from jaxdistort.data.identity import identify
from jaxdistort.data.listing import list_pictures
from jaxdistort.data.pictures import read_or, read_picture
from jaxdistort.distortions import DISTORTIONS, distort
from jaxdistort.distortions.severities import KADID10K
from jaxdistort.errors import InputError, NothingReadable, choose
from jaxdistort.files import NAMES
from jaxdistort.human.questionnaire import CHOICE, LEVELS, MODES, NAMING, TABLE, Question, Questionnaire
from jaxdistort.inference.tiling import LEAST_SIDE
from jaxdistort.protocols import PROTOCOLS
from jaxdistort.tasks import CLEAN

QUESTIONS = 60
SIDE = 512
"""Pixels of a side of a picture that is shown, at most."""
_CHOICES = 4
_KEPT = 64  # pictures as PNG
_COLOURED = 2.0  # levels between the channels of a pixel, on average, from which a picture has colours


class HumanTest:
  """A questionnaire with its pictures.

  Args:
    folder: of the clean pictures.
    questionnaire: what is asked.

  Raises:
    InputError: the pictures in the folder are others than those of the questionnaire, or are not there.
  """

  def __init__(self, folder: Path, questionnaire: Questionnaire):
    self.folder, self.questionnaire = folder, questionnaire
    if _fingerprint(folder, [question.picture for question in questionnaire.questions]) != questionnaire.fingerprint:
      raise InputError(f"{folder}: its pictures are not those of the test (changed, missing, or another folder)")
    self._drawing = threading.Lock()  # or two that ask for the same kind would compile it twice
    self._kept = functools.lru_cache(_KEPT)(self._png)

  def pixels(self, number: int) -> np.ndarray:
    """The picture of a question, uint8 [H, W, 3]: the central square, at most `SIDE` px wide, distorted.

    Raises:
      BrokenPicture: its file cannot be read any more.
    """
    question = self.questionnaire.questions[number]
    clean = _square(read_picture(self.folder / question.picture))
    if question.kind == CLEAN:
      return clean
    key = jax.random.fold_in(jax.random.key(self.questionnaire.seed), number)
    if self.questionnaire.mode == CHOICE:
      return distort(clean, question.kind, severity=question.level, source=TABLE, key=key)
    return distort(clean, question.kind, severity=question.level / LEVELS, key=key)

  def png(self, number: int) -> bytes:
    """The same as a PNG in which there is nothing but pixels; any thread may ask."""
    with self._drawing:
      return self._kept(number)

  def _png(self, number: int) -> bytes:
    content = io.BytesIO()
    Image.fromarray(self.pixels(number)).save(content, "PNG")
    return content.getvalue()


def make_test(
  folder: Path, *, count: int = QUESTIONS, seed: int = 0, mode: str = NAMING, kinds: Sequence[str] | None = None
) -> HumanTest:
  """A test of pictures of a folder: the same from the same folder and arguments, whoever makes it.

  Kinds and levels come as evenly as they can; in the mode `NAMING` a sixth of the pictures is clean, as many as have
  each of the levels. Levels there are perceptual severities, level / 5. In the mode `CHOICE` they are those of
  KADID-10k that change something, none is clean, and three wrong types are drawn to the right one.

  Args:
    folder: clean pictures; those that cannot be read or are smaller than 32 px are left out, and where a kind is of the
      group colour, those without.
    count: questions, at least 1. A picture comes again where there are more questions than pictures.
    seed: of everything that is random.
    mode: one of `MODES`.
    kinds: names in `DISTORTIONS`, or of KADID-10k's types; those of the protocol `wild`, or all types, if None.

  Raises:
    InputError: unknown names, too few kinds or questions, or no pictures.
  """
  choose("mode", mode, MODES)
  known = tuple(KADID10K.entries if mode == CHOICE else DISTORTIONS)
  own = tuple(kinds or (known if mode == CHOICE else PROTOCOLS["wild"]().kinds))
  for kind in own:
    choose("kind", kind, known)
  fewest = _CHOICES if mode == CHOICE else 1
  if len(set(own)) < max(fewest, len(own)):
    raise InputError(f"kinds: expected at least {fewest} different ones, got {', '.join(own)}")
  if count < 1:
    raise InputError(f"questions: expected at least 1, got {count}")
  rng = np.random.default_rng(seed)
  names = Questionnaire(mode, seed, own, (), "")
  coloured = any(names.group_of(kind) == "colour" for kind in own)  # nothing of a grey picture tells those
  pictures = itertools.cycle(_pick(folder, count, rng, coloured=coloured))
  truths = _deal(own, count, mode, rng)
  rng.shuffle(truths)
  questions = tuple(
    Question(picture, kind, level, _choices(own, kind, rng) if mode == CHOICE else ())
    for picture, (kind, level) in zip(pictures, truths, strict=False)
  )
  fingerprint = _fingerprint(folder, [question.picture for question in questions])
  return HumanTest(folder, Questionnaire(mode, seed, own, questions, fingerprint))


def _deal(kinds: Sequence[str], count: int, mode: str, rng: np.random.Generator) -> list[tuple[str, int]]:
  """Kinds and levels of so many questions: in every round each kind comes once, and the levels about alike."""
  own = [kinds[place] for place in rng.permutation(len(kinds))]
  rounds = [(kind, 1 + (place + turn) % LEVELS) for turn in range(LEVELS) for place, kind in enumerate(own)]
  if mode == CHOICE:
    rounds = [(kind, level) for kind, level in rounds if level not in KADID10K.entries[kind].unchanged]
  clean = count // (LEVELS + 1) if mode == NAMING else 0
  return [(CLEAN, 0)] * clean + list(itertools.islice(itertools.cycle(rounds), count - clean))


def _choices(kinds: Sequence[str], right: str, rng: np.random.Generator) -> tuple[str, ...]:
  wrong = [kind for kind in kinds if kind != right]
  four = [right, *(wrong[place] for place in rng.permutation(len(wrong))[: _CHOICES - 1])]
  return tuple(four[place] for place in rng.permutation(_CHOICES))


def _pick(folder: Path, count: int, rng: np.random.Generator, *, coloured: bool) -> list[str]:
  """The names of so many pictures that can be shown, or of all that there are."""
  if not folder.is_dir():
    raise InputError(f"{folder}: expected a folder of clean pictures")
  names = list_pictures(str(folder)).names
  shuffled = (names[place] for place in rng.permutation(len(names)))
  picked = list(itertools.islice(_usable(folder, shuffled, coloured=coloured), count))
  if not picked:
    what = "coloured pictures" if coloured else "pictures"
    raise NothingReadable(f"{folder}: no {what} of at least {LEAST_SIDE} x {LEAST_SIDE} px there that can be read")
  return picked


def _usable(folder: Path, names: Iterator[str], *, coloured: bool) -> Iterator[str]:
  """Those that can be read, are large enough and, if it is wanted, have colours."""
  for name in names:
    picture, _ = read_or(None, read_picture, folder / name)
    if picture is None or min(picture.size) < LEAST_SIDE:
      continue
    if not coloured or np.ptp(_square(picture), axis=-1).mean() >= _COLOURED:
      yield name


def _square(picture: Image.Image) -> np.ndarray:
  """The central square, at most `SIDE` px wide, uint8 [S, S, 3]."""
  side = min(picture.size)
  left, top = ((extent - side) // 2 for extent in picture.size)
  square = picture.crop((left, top, left + side, top + side))
  return np.asarray(square if side <= SIDE else square.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def _fingerprint(folder: Path, names: Sequence[str]) -> str:
  """Of the names and the contents of pictures."""
  own = sorted(set(names))
  identities = identify([str(folder / name) for name in own], str(folder))
  parts = (name.encode(errors=NAMES) + b"\0" + row.tobytes() for name, row in zip(own, identities, strict=True))
  return hashlib.blake2b(b"".join(parts), digest_size=16).hexdigest()
