"""A little of the fuzz of the picture reader; much more of it: `python -m tests.fuzz`."""

import pytest

from tests.fuzz.files import small_files
from tests.fuzz.judge import agreement, read
from tests.fuzz.worker import damaged

_FILES = small_files()


@pytest.mark.parametrize("name", _FILES)
def test_whole_files_are_read(name):
  reading = read(_FILES[name])
  assert reading.levels is not None, reading.reason
  assert agreement(_FILES[name], reading.levels)


def test_damaged_files_are_refused_or_read_as_pillow_does():
  for number in range(len(_FILES)):
    _, content = damaged(_FILES, 1, number)
    reading = read(content)
    assert reading.levels is None or agreement(content, reading.levels), number
