"""What is to be said of a picture that was read, though not in every way as it was meant."""

import warnings
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

_HEARD: ContextVar[list[str] | None] = ContextVar("remarks", default=None)


class PictureWarning(UserWarning):
  """A picture was read, though not in every way as it was meant, and nobody collects remarks."""


@contextmanager
def collected_remarks() -> Generator[list[str]]:
  """A list that fills with the remarks on the pictures that this thread reads within the context.

  So remarks reach whoever reads pictures, through any source in between.
  """
  heard: list[str] = []
  token = _HEARD.set(heard)
  try:
    yield heard
  finally:
    _HEARD.reset(token)


def remark(text: str, of: str = "") -> None:
  """Says, in one line, what of a picture could not be had.

  Where nobody collects remarks it is a `PictureWarning`, with the name of the picture that it is a remark `of`.
  """
  heard = _HEARD.get()
  if heard is None:
    warnings.warn(f"{of}: {text}" if of else text, PictureWarning, stacklevel=2)
  else:
    heard.append(text)
