"""A folder that one process at a time writes: who is refused, who takes over."""

import errno
import fcntl
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jaxdistort import locking
from jaxdistort.errors import InputError
from jaxdistort.files import is_free
from jaxdistort.locking import LOCK, locked

_ROOT = Path(__file__).parents[1]
_OURS = locking._describe_self()
_ELSEWHERE = _OURS._replace(host="elsewhere", machine="another", boot="another")


def _leave(folder, holder):
  (folder / LOCK).write_text(json.dumps(holder._asdict()))


@pytest.fixture
def without_locks(monkeypatch):
  """A file system that knows none."""

  def flock(file, operation):
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

  monkeypatch.setattr(fcntl, "flock", flock)


def test_a_second_one_is_refused_and_told_who_holds_it(tmp_path):
  with locked(tmp_path / "run"):
    with (
      pytest.raises(
        InputError,
        match=rf"run: is in use by process {os.getpid()} on {_OURS.host}, started 20..-..-.. ..:..:..; wait until",
      ),
      locked(tmp_path / "run"),
    ):
      pass
    assert is_free(tmp_path / "run")
    (tmp_path / "run" / "something").touch()
    assert not is_free(tmp_path / "run")
  with locked(tmp_path / "run"):
    pass
  assert [path.name for path in (tmp_path / "run").iterdir()] == ["something"]


def test_a_folder_that_nothing_came_of_goes_again(tmp_path):
  with pytest.raises(ZeroDivisionError), locked(tmp_path / "a" / "b"):
    raise ZeroDivisionError
  assert not (tmp_path / "a").exists()
  (tmp_path / "file").touch()
  with pytest.raises(InputError, match=r"file is a file; give a folder"), locked(tmp_path / "file"):
    pass


def test_what_a_killed_process_held_is_taken_over(tmp_path):
  code = (
    f"from jaxdistort.locking import *; import time\nwith locked(Path({str(tmp_path)!r})): print(1); time.sleep(9e6)"
  )
  with subprocess.Popen([sys.executable, "-uc", code], cwd=_ROOT, stdout=subprocess.PIPE) as child:
    child.stdout.readline()
    with pytest.raises(InputError, match=f"in use by process {child.pid} on "), locked(tmp_path):
      pass
    child.send_signal(signal.SIGKILL)
    child.wait()
  assert json.loads((tmp_path / LOCK).read_text())["pid"] == child.pid
  with locked(tmp_path):
    assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()


@pytest.mark.parametrize(
  ("what", "before"),
  [
    ("its number is ours, in another container or given again", _OURS._replace(ticks=_OURS.ticks - 5)),
    ("it ran in a container with a name of its own", _OURS._replace(host="b61c0f", machine="", namespace="pid:[1]")),
    ("the machine was started again", _OURS._replace(boot="before", pid=1)),
  ],
)
def test_a_holder_that_the_kernel_knows_gone_is_followed(tmp_path, what, before):
  _leave(tmp_path, before)
  with locked(tmp_path):
    pass
  assert not (tmp_path / LOCK).exists()


def test_a_holder_of_another_machine_may_still_run(tmp_path):
  _leave(tmp_path, _ELSEWHERE)
  with (
    pytest.raises(InputError, match=rf"held by process {os.getpid()} on elsewhere, .* remove {tmp_path / LOCK}$"),
    locked(tmp_path),
  ):
    pass
  (tmp_path / LOCK).unlink()  # as advised
  with locked(tmp_path):
    pass


def test_a_lock_that_was_cut_short_is_nobody_s(tmp_path):
  for content in ("", '{"host": "x', "[1]", '{"host": "x"}'):
    (tmp_path / LOCK).write_text(content)
    with locked(tmp_path):
      pass


def test_a_lock_removed_between_opening_and_taking_it_is_made_anew(tmp_path, monkeypatch):
  """Its holder just ended: a lock on a file that is in no folder any more would let a third one in."""
  seize, calls = locking._seize, []

  def seize_late(file):
    calls.append(file)
    if len(calls) == 1:
      (tmp_path / LOCK).unlink()
    return seize(file)

  monkeypatch.setattr(locking, "_seize", seize_late)
  with locked(tmp_path), pytest.raises(InputError, match="in use by"), locked(tmp_path):
    pass
  assert len(calls) == 3


@pytest.mark.usefixtures("without_locks")
@pytest.mark.parametrize(
  ("before", "gone"),
  [
    (_OURS, False),
    (_OURS._replace(ticks=_OURS.ticks - 5), True),  # the number was given again
    (_OURS._replace(pid=2**22 + 1), True),
    (_OURS._replace(pid=2**22 + 1, namespace="pid:[1]", host="b61c0f"), False),  # of a container: who knows
    (_OURS._replace(boot="before"), True),
    (_ELSEWHERE, False),
  ],
)
def test_where_there_are_no_locks_the_words_decide(tmp_path, before, gone):
  _leave(tmp_path, before)
  if gone:
    with locked(tmp_path):
      pass
  else:
    with pytest.raises(InputError, match="is held by process"), locked(tmp_path):
      pass


def test_a_disk_without_room_for_the_lock_is_named(tmp_path):
  before = resource.getrlimit(resource.RLIMIT_FSIZE)
  resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
  try:
    with pytest.raises(OSError, match=r"\.lock") as error, locked(tmp_path / "run"):
      pass
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
  assert error.value.filename == str(tmp_path / "run" / LOCK)
  assert not (tmp_path / "run").exists()


def test_what_a_death_left_unfinished_is_nothing(tmp_path):
  (tmp_path / "dataset.json.partial").write_text("{")
  assert is_free(tmp_path)
  (tmp_path / "dataset.json").write_text("{}")
  assert not is_free(tmp_path)
