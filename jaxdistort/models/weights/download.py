"""Fetches published files of weights, whole and unchanged, or says how to fetch them by hand."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from jaxdistort.errors import InputError
from jaxdistort.files import fitting_name
from jaxdistort.models.weights.file import file_digest
from jaxdistort.models.weights.kinds import Published
from jaxdistort.progress import SILENT, Progress

_PIECE = 1 << 20  # bytes
_TIMEOUT = 30  # seconds without an answer


def download(published: Published, target: Path, *, progress: Progress = SILENT) -> None:
  """Fetches a file, goes on where a broken download stopped, and checks it.

  Bytes are collected in TARGET.partial; `target` appears when all are there and their checksum is right.
  Does nothing if it is there already.

  Args:
    published: the file, of an entry of `KINDS` for one.
    target: where to put it.
    progress: hears of the bytes; may stop the download, which can go on later.

  Raises:
    InputError: no network, a refusal, or another file than expected; says where to get it and where to put it.
    KeyboardInterrupt: `progress` asked to stop.
  """
  by_hand = f"fetch it by hand (see {published.page}), put it at {target}, and run this again"
  if target.exists():
    _check(published, target, by_hand)
    return
  if not published.url:
    raise InputError(f"{published.name} cannot be fetched by a program: {by_hand}")
  target.parent.mkdir(parents=True, exist_ok=True)
  partial = target.with_name(fitting_name(target.parent, target.name, ".partial"))
  try:
    _fetch(published.url, partial, target.name, progress)
  except _Unreachable as error:
    kept = f"; {partial.stat().st_size:,} bytes are kept in {partial}" if partial.exists() else ""
    raise InputError(f"{published.url} cannot be fetched ({error}){kept}; run this again, or {by_hand}") from error
  _check(published, partial, by_hand, remove=True)
  partial.replace(target)


class _Unreachable(Exception):
  """The network, or the server, did not give the file."""


@contextmanager
def _network() -> Generator[None]:
  """Around what asks the network, and nothing else: the disk has errors of its own."""
  try:
    yield
  except urllib.error.HTTPError:
    raise
  except (OSError, http.client.HTTPException) as error:
    raise _Unreachable(getattr(error, "reason", None) or error) from error


def _fetch(url: str, partial: Path, title: str, progress: Progress) -> None:
  """Appends what is missing; a server that does not go on where asked begins anew."""
  done = partial.stat().st_size if partial.exists() else 0
  request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
  try:
    with _network():
      answer = urllib.request.urlopen(request, timeout=_TIMEOUT)
  except urllib.error.HTTPError as error:
    if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:  # all of it is there, or more
      return
    raise _Unreachable(error) from error
  with answer:
    resumed = answer.status == http.client.PARTIAL_CONTENT
    done = done if resumed else 0
    total = done + (answer.length or 0)  # None: it does not say how much there is
    bar = progress.bar(total, unit="B", title=title, done=done)
    with partial.open("ab" if resumed else "wb") as file, bar as shown:
      while True:
        with _network():
          piece = answer.read(_PIECE)
        if not piece:
          break
        file.write(piece)
        done += len(piece)
        shown.advance(len(piece))
        progress.check()
  if done < total:
    raise _Unreachable(f"the connection ended after {done:,} of {total:,} bytes")


def _check(published: Published, path: Path, by_hand: str, *, remove: bool = False) -> None:
  algorithm, expected = published.checksum
  found = file_digest(path, algorithm) if algorithm else expected
  if found != expected:
    if remove:
      path.unlink()  # nothing of it can be of use to another try
    raise InputError(f"{path}: {algorithm} {found}, expected {expected}: not the published file; {by_hand}")
