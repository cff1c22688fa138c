"""Fetches published files of weights, whole and unchanged, or says how to fetch them by hand."""

import errno
import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from jaxdistort.cli.console import progress_bar
from jaxdistort.errors import InputError
from jaxdistort.weights.file import file_digest

_PIECE = 1 << 20  # bytes
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS)
_TIMEOUT = 30  # seconds without an answer


class Known(NamedTuple):
  """A published file.

  Attributes:
    architecture: what it holds.
    page: where its authors speak of it.
    url: where it is; empty if it must be fetched by hand.
    checksum: algorithm and hex digest, as its publisher gives it.
  """

  architecture: str
  page: str
  url: str = ""
  checksum: tuple[str, str] = ("", "")

  @property
  def name(self) -> str:
    """What to call the file."""
    return self.url.rpartition("/")[2] or f"{self.architecture}.pkl"


_KERAS = "https://storage.googleapis.com/tensorflow/keras-applications"
_FIRST_KERAS = "https://github.com/fchollet/deep-learning-models/releases/download/v0.2"

KNOWN: Mapping[str, Known] = MappingProxyType({
  "keras-vgg16": Known(
    "vgg16",
    "https://keras.io/api/applications/vgg",
    f"{_KERAS}/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
    ("md5", "6d6bbae143d832006294945121d1f1fc"),
  ),
  "torchvision-vgg16": Known(
    "vgg16",
    "https://docs.pytorch.org/vision/stable/models/vgg.html",
    "https://download.pytorch.org/models/vgg16-397923af.pth",
    ("sha256", "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0"),
  ),
  "keras-resnet50": Known(
    "resnet50",
    "https://keras.io/api/applications/resnet",
    f"{_FIRST_KERAS}/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
    ("md5", "a268eb855778b3df3c7506639542a6af"),
  ),
  "sgdnet": Known("sgdnet", "https://github.com/ysyscool/SGDNet"),
})  # fmt: skip
"""Published files by the `--from` that converts them."""


def download(known: Known, target: Path) -> None:
  """Fetches a file, goes on where a broken download stopped, and checks it; shows a progress bar.

  Bytes are collected in TARGET.partial; `target` appears when all are there and their checksum is right.
  Does nothing if it is there already.

  Raises:
    InputError: no network, a refusal, or another file than expected; says where to get it and where to put it.
  """
  by_hand = f"fetch it by hand (see {known.page}), put it at {target}, and run this again"
  if target.exists():
    _check(known, target, by_hand)
    return
  if not known.url:
    raise InputError(f"{known.name} cannot be fetched by a program: {by_hand}")
  target.parent.mkdir(parents=True, exist_ok=True)
  partial = target.with_name(f"{target.name}.partial")
  try:
    _fetch(known.url, partial)
  except (OSError, http.client.HTTPException) as error:
    if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
      raise
    reason = getattr(error, "reason", None) or error
    kept = f"; {partial.stat().st_size:,} bytes are kept in {partial}" if partial.exists() else ""
    raise InputError(f"{known.url} cannot be fetched ({reason}){kept}; run this again, or {by_hand}") from error
  _check(known, partial, by_hand, remove=True)
  partial.replace(target)


def _fetch(url: str, partial: Path) -> None:
  """Appends what is missing; a server that does not go on where asked begins anew."""
  done = partial.stat().st_size if partial.exists() else 0
  request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
  try:
    answer = urllib.request.urlopen(request, timeout=_TIMEOUT)
  except urllib.error.HTTPError as error:
    if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:  # all of it is there, or more
      return
    raise
  with answer:
    resumed = answer.status == http.client.PARTIAL_CONTENT
    done = done if resumed else 0
    left = int(answer.headers.get("Content-Length") or 0)
    bar = progress_bar(done + left, done, unit="B", title=partial.name.removesuffix(".partial"), scale=True)
    with partial.open("ab" if resumed else "wb") as file, bar:
      while piece := answer.read(_PIECE):
        file.write(piece)
        bar.update(len(piece))
    if left and bar.n < done + left:
      raise ConnectionError(f"the connection ended after {bar.n:,} of {done + left:,} bytes")


def _check(known: Known, path: Path, by_hand: str, *, remove: bool = False) -> None:
  algorithm, expected = known.checksum
  found = file_digest(path, algorithm) if algorithm else expected
  if found != expected:
    if remove:
      path.unlink()  # nothing of it can be of use to another try
    raise InputError(f"{path}: {algorithm} {found}, expected {expected}: not the published file; {by_hand}")
