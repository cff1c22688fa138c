"""Which picture a file holds, whatever it is called and wherever it lies: an identity of its content.

What is hashed is the encoded picture, of JPEG without the metadata before it, of PNG and WebP also without those behind
it, so that a photograph whose rating or place was written into it stays the same one. A picture that was decoded and
saved again is another one.
"""

import hashlib
import os
import stat
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO
from zipfile import BadZipFile

import numpy as np

from jaxdistort.files import cache_folder, writing_whole
from jaxdistort.progress import SILENT, Progress

BYTES = 16  # of an identity
_WHOLE = 2**18  # bytes: up to here all of a picture is read, of a larger one as much in blocks
_BLOCKS = 16  # evenly spread, the first and the last byte among them
_SEGMENTS = 4096  # that are looked through for the picture; a file with more is no picture
_KEPT_FROM = 1000  # files; of fewer nothing is kept, they are quickly read again
_CHUNK = 256  # files a task
_THREADS = 8  # for folders on other machines


def identify(paths: Sequence[str], kept_for: str, progress: Progress = SILENT) -> np.ndarray:
  """Identities uint8 [N, 16] of the pictures in files: BLAKE2b-128 of up to 256 KiB of the encoded picture.

  Files that were identified before and have not changed since (device, inode, size, times) are not read again where
  they are many: what is known is kept in the user's cache folder. A file that is no plain file, or cannot be read, is
  identified by its name.

  Args:
    paths: of the files.
    kept_for: what they belong to, a path; identities are kept under this name.
    progress: counts files, where they are many.
  """
  stamps = _stamps(paths)
  place = _place(kept_for)
  found = np.zeros((len(paths), BYTES), np.uint8)
  keys = [row.tobytes() for row in stamps]
  known = _read_kept(place) if len(paths) >= _KEPT_FROM else {}
  missing = []
  for number, key in enumerate(keys):
    if key in known and stamps[number, 0] >= 0:
      found[number] = known[key]
    else:
      missing.append(number)
  if not missing:
    return found
  done = []
  try:
    told = progress if len(missing) >= _KEPT_FROM else SILENT
    with ThreadPoolExecutor(_THREADS) as pool, told.bar(len(missing), unit="file", title="identifying") as bar:
      chunks = [missing[begin : begin + _CHUNK] for begin in range(0, len(missing), _CHUNK)]
      hashed = pool.map(lambda chunk: [_identity(paths[n]) if stamps[n, 0] >= 0 else None for n in chunk], chunks)
      for chunk, identities in zip(chunks, hashed, strict=True):
        for number, identity in zip(chunk, identities, strict=True):
          found[number] = np.frombuffer(identity or _identity_by_name(paths[number]), np.uint8)
        done += [number for number, identity in zip(chunk, identities, strict=True) if identity]
        bar.advance(len(chunk))
        told.check()
  finally:  # stopped half-way, it goes on from there
    if len(paths) >= _KEPT_FROM:
      rows = sorted(set(range(len(paths))) - set(missing)) + done
      _keep(place, stamps[rows], found[rows])
  return found


def originals_of_files(paths: Sequence[str], kept_for: str, progress: Progress = SILENT) -> list[str]:
  """What `Source.original` says of the pictures in files; see `identify`."""
  return [row.tobytes().hex() for row in identify(paths, kept_for, progress)]


def _stamps(paths: Sequence[str]) -> np.ndarray:
  """Device, inode, size, time of change and of status of every file, int64 [N, 5]; -1 where it is no plain file."""
  return np.array([_stamp(path) for path in paths], np.int64).reshape(-1, 5)


def _stamp(path: str) -> tuple[int, ...]:
  try:
    s = os.stat(path)
  except OSError:
    return (-1,) * 5
  if not stat.S_ISREG(s.st_mode):
    return (-1,) * 5
  # Some file systems number files beyond 2^63.
  return (s.st_dev % 2**63, s.st_ino % 2**63, s.st_size, s.st_mtime_ns, s.st_ctime_ns)


def _identity(path: str) -> bytes | None:
  """None of what cannot be read, perhaps only now."""
  digest = hashlib.blake2b(digest_size=BYTES)
  try:
    with open(path, "rb", buffering=0) as file:
      _add_content(digest, file, os.fstat(file.fileno()).st_size)
  except OSError:
    return None
  return digest.digest()


def _identity_by_name(path: str) -> bytes:
  name = os.fsencode(os.path.basename(path))
  return hashlib.blake2b(name, digest_size=BYTES, person=b"unreadable").digest()


def _add_content(digest: "hashlib.blake2b", file: BinaryIO, size: int) -> None:
  head = file.read(_WHOLE)
  begin, end = _encoded_part(head, file, size)
  length = end - begin
  digest.update(length.to_bytes(8, "big"))
  if end <= len(head):
    digest.update(head[begin:end])
    return
  block = _WHOLE // _BLOCKS
  starts = (
    [begin] if length <= _WHOLE else [begin + (length - block) * turn // (_BLOCKS - 1) for turn in range(_BLOCKS)]
  )
  for start in starts:
    file.seek(start)
    digest.update(file.read(length if length <= _WHOLE else block))


def _encoded_part(head: bytes, file: BinaryIO, size: int) -> tuple[int, int]:
  """First and last (excluded) byte of the picture itself; of the whole file where that cannot be told."""
  if head[:2] == b"\xff\xd8":
    return _jpeg_scan(head, file, size), size
  if head[:8] == b"\x89PNG\r\n\x1a\n":
    begin, _ = _chunk(head, file, size, 8, (b"IDAT",), big=True)
    return begin, _png_end(head, file, size) if begin else size
  if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
    return _chunk(head, file, size, 12, (b"VP8 ", b"VP8L"), big=False)
  return 0, size


def _jpeg_scan(head: bytes, file: BinaryIO, size: int) -> int:
  """Where the first scan begins, behind all segments of metadata and tables."""
  place = 2
  for _ in range(_SEGMENTS):
    marker = _at(head, file, place, 4)
    if place + 4 > size or marker[0] != 0xFF:
      return 0
    if marker[1] == 0xDA:
      return place
    place += 1 if marker[1] == 0xFF else 2 + int.from_bytes(marker[2:], "big")
  return 0


def _chunk(
  head: bytes, file: BinaryIO, size: int, place: int, names: tuple[bytes, ...], *, big: bool
) -> tuple[int, int]:
  """Begin and end of the first chunk of one of these names."""
  for _ in range(_SEGMENTS):
    if place + 8 > size:
      break
    first = _at(head, file, place, 8)
    name, length = (first[4:], first[:4]) if big else (first[:4], first[4:])
    end = place + 8 + int.from_bytes(length, "big" if big else "little")
    if name in names:
      return place, min(end, size)
    place = end + (4 if big else end % 2)
  return 0, size


def _png_end(head: bytes, file: BinaryIO, size: int) -> int:
  """Where the last chunk of pixels ends; the end of the file where that is not seen from there.

  It is sought backwards: a large picture has thousands of chunks, and each may be a way to another machine.
  """
  begin = max(size - _WHOLE, 0)
  tail = _at(head, file, begin, size - begin)
  name = len(tail)
  for _ in range(16):  # the letters may also stand in a text behind the pixels
    name = tail.rfind(b"IDAT", 0, name + 3)
    if name < 4:
      break
    end = place = _chunk_end(tail, name - 4)
    while place < len(tail) and tail[place + 4 : place + 8] != b"IEND":
      place = _chunk_end(tail, place)
    if place < len(tail):
      return begin + end
  return size


def _chunk_end(content: bytes, place: int) -> int:
  return place + 12 + int.from_bytes(content[place : place + 4], "big")


def _at(head: bytes, file: BinaryIO, place: int, count: int) -> bytes:
  if place + count <= len(head):
    return head[place : place + count]
  file.seek(place)
  return file.read(count).ljust(count, b"\0")


def _place(kept_for: str) -> Path | None:
  """The file in which the identities are kept; None where there is no place for it."""
  folder = cache_folder("identities")
  name = hashlib.blake2b(os.fsencode(kept_for), digest_size=12).hexdigest()
  return folder and folder / f"{name}.npz"


def _read_kept(place: Path | None) -> dict[bytes, np.ndarray]:
  """Stamps, as bytes -> identities; nothing where they cannot be read."""
  if place is None:
    return {}
  try:
    with place.open("rb") as file, np.load(file) as kept:
      stamps, identities = kept["stamps"], kept["identities"]
  except (OSError, ValueError, KeyError, EOFError, BadZipFile):
    return {}
  if stamps.dtype != np.int64 or identities.dtype != np.uint8 or identities.shape != (len(stamps), BYTES):
    return {}
  return dict(zip((row.tobytes() for row in stamps), identities, strict=True))


def _keep(place: Path | None, stamps: np.ndarray, identities: np.ndarray) -> None:
  if place is None:
    return
  try:
    place.parent.mkdir(parents=True, exist_ok=True)
    with writing_whole(place) as file:
      np.savez(file, stamps=stamps, identities=identities)
  except OSError:  # read again next time
    return
