"""The answers of people in a file: kept once they are acknowledged, whatever happens."""

import contextlib
import dataclasses
import itertools
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jaxdistort.errors import InputError
from jaxdistort.human import AnsweredAlready, Given, Store, Unknown, read_store
from tests.human.simulated import choosing, naming

_ROOT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path):
  return tmp_path / "answers.sqlite"


def test_a_person_goes_on_where_they_were(file):
  asked = naming()
  with Store(file, asked) as store:
    person = store.add_person()
    seen, ahead = [], None
    for _ in range(10):
      turn = store.turn(person)
      assert turn.done == len(seen)
      assert not seen or ahead == turn.question
      seen.append(turn.question)
      ahead = turn.ahead
      store.add(Given(person, turn.question, "jpeg", 3, 1.5))
  with Store(file, asked) as store:
    for _ in range(15):
      turn = store.turn(person)
      seen.append(turn.question)
      store.add(Given(person, turn.question, "clean", None, 0))
    assert store.turn(person) == (None, None, 25)
    assert sorted(seen) == list(range(25))
    assert [given.question for given in store.answers()] == seen
  assert read_store(file) == (asked, [Given(person, n, "jpeg", 3, 1.5) for n in seen[:10]] + [
    Given(person, n, "clean", None, 0.0) for n in seen[10:]
  ])  # fmt: skip


def test_everybody_has_an_order_of_their_own(file):
  with Store(file, naming()) as store:
    people = [store.add_person() for _ in range(20)]
    assert len({store.turn(person).question for person in people}) > 5
    assert len(set(people)) == 20


def test_an_answer_counts_once(file):
  with Store(file, naming()) as store:
    person, other = store.add_person(), store.add_person()
    store.add(Given(person, 4, "jpeg", 1, 1.0))
    with pytest.raises(AnsweredAlready):
      store.add(Given(person, 4, "clean", None, 1.0))
    store.add(Given(other, 4, "clean", None, 1.0))
    assert [given.kind for given in store.answers()] == ["jpeg", "clean"]


def test_nobody_and_nothing_are_unknown(file):
  with Store(file, naming()) as store:
    person = store.add_person()
    for given in (Given("me", 0, "jpeg", 1, 1.0), Given(person, 25, "jpeg", 1, 1.0), Given(person, -1, "jpeg", 1, 1.0)):
      with pytest.raises(Unknown):
        store.add(given)
    with pytest.raises(Unknown):
      store.turn("me")
    assert store.answers() == []


@pytest.mark.parametrize(
  ("kind", "level", "seconds"),
  [
    *(("fog", 1, 1.0), ("jpeg", None, 1.0), ("jpeg", 0, 1.0), ("jpeg", 6, 1.0), ("clean", 1, 1.0)),
    *(("jpeg", 1, -1.0), ("jpeg", 1, float("nan")), ("jpeg", 1, float("inf"))),
  ],
)
def test_what_is_no_answer_is_refused(file, kind, level, seconds):
  with Store(file, naming()) as store:
    with pytest.raises(ValueError, match=r"^(kind|level|seconds): expected"):
      store.add(Given(store.add_person(), 0, kind, level, seconds))
    assert store.answers() == []


def test_of_four_choices_it_must_be_one(file):
  asked = choosing()
  with Store(file, asked) as store:
    person = store.add_person()
    for kind in ("clean", *set(asked.kinds) - set(asked.questions[0].choices)):
      with pytest.raises(ValueError, match="kind: expected one of"):
        store.add(Given(person, 0, kind, None if kind == "clean" else 1, 1.0))
    store.add(Given(person, 0, asked.questions[0].choices[3], 1, 1.0))


def test_another_test_is_refused_in_a_line(file):
  own = naming()
  Store(file, own).close()
  others = {"seed": 1, "kinds": own.kinds[:3], "fingerprint": "x", "questions": own.questions[:9]}
  for name, value in others.items():
    with pytest.raises(InputError, match=rf"begun with another test \(other {name}\); give another file"):
      Store(file, dataclasses.replace(own, **{name: value}))
  Store(file, own).close()


def test_what_is_no_file_of_answers_is_refused_and_stays_as_it_is(file, tmp_path):
  file.write_text("Dear diary, " * 100)
  with pytest.raises(InputError, match=r"answers.sqlite: cannot be used \(file is not a database\)"):
    Store(file, naming())
  other = tmp_path / "other.sqlite"
  with contextlib.closing(sqlite3.connect(other)) as connection:
    connection.execute("CREATE TABLE mine (x)")
  before = other.read_bytes()
  for opened in (lambda: Store(other, naming()), lambda: read_store(other)):
    with pytest.raises(InputError, match=r"cannot be used \(no such table: test\)"):
      opened()
  assert other.read_bytes() == before
  with pytest.raises(InputError, match="no such file"):
    read_store(tmp_path / "none.sqlite")
  with pytest.raises(InputError, match="cannot be used"):
    Store(tmp_path / "nowhere" / "answers.sqlite", naming())


def test_a_test_of_another_version_is_told(file):
  with contextlib.closing(sqlite3.connect(file)) as connection:
    connection.execute("CREATE TABLE test (description)")
    connection.execute("CREATE TABLE answers (number, person, question, kind, level, seconds)")
    connection.execute("INSERT INTO test VALUES ('{}')")
    connection.commit()
  with pytest.raises(InputError, match="holds no test that this version knows"):
    read_store(file)


def test_threads_and_stores_share_a_file(file):
  asked = naming()
  with Store(file, asked) as one, Store(file, asked) as two, ThreadPoolExecutor(8) as pool:

    def answer_all(store):
      person = store.add_person()
      while (turn := store.turn(person)).question is not None:
        store.add(Given(person, turn.question, "jpeg", 1, 1.0))

    list(pool.map(answer_all, [one, two] * 4))
    assert len(one.answers()) == 8 * 25
    assert one.answers() == two.answers()


def _start(file):
  command = [sys.executable, "-m", "tests.human.writer", str(file)]
  return subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.long
def test_two_processes_write_at_once_and_what_was_acknowledged_survives_their_death(file):
  """Both are killed amid their writing; the file is there for the next one, with every answer that was told to be."""
  processes = [_start(file) for _ in range(2)]
  assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
  for process in processes:
    process.stdin.write("go\n")
    process.stdin.flush()
  lines = [line for _, process in itertools.product(range(60), processes) for line in [process.stdout.readline()]]
  for process in processes:
    process.kill()
  for process in processes:
    with process:
      lines += [line for line in process.stdout if line.endswith("\n")]  # the last may be cut
  with Store(file, naming()) as store:
    store.add(Given(store.add_person(), 0, "jpeg", 1, 1.0))
  _, given = read_store(file)
  kept = {f"{own.person} {own.question} {own.kind} {own.level}\n" for own in given}
  assert len(lines) >= 120
  assert set(lines) <= kept
  assert len({line.split()[0] for line in lines}) >= 4
  assert len(kept) == len(given) <= len(lines) + 3  # each may have had one more on the disk than it could tell
