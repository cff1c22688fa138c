"""The answers of people, in an SQLite file that several processes and people use at once.

An answer that was acknowledged is on the disk: it survives the death of the process, and of the machine.
"""

import hashlib
import json
import secrets
import sqlite3
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock

from jaxdistort.errors import InputError, reason_of
from jaxdistort.files import fitting_name
from jaxdistort.human.questionnaire import LEVELS, Questionnaire
from jaxdistort.tasks import CLEAN

_PATIENCE = 30  # seconds that another process may take to write
_TABLES = (
  "CREATE TABLE test (description TEXT NOT NULL) STRICT",
  "CREATE TABLE people (person TEXT PRIMARY KEY) STRICT, WITHOUT ROWID",
  """CREATE TABLE answers (
    number INTEGER PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people,
    question INTEGER NOT NULL,
    kind TEXT NOT NULL,
    level INTEGER,
    seconds REAL NOT NULL,
    UNIQUE (person, question)
  ) STRICT""",
)


class Unknown(LookupError):
  """There is no such person, or no such question."""


class AnsweredAlready(Exception):
  """This person has answered this question; what was answered first stays."""


class Given(NamedTuple):
  """An answer.

  Attributes:
    person: who gave it, a random name.
    question: its number.
    kind: a kind of the test, or clean.
    level: 1..5; None where it is said to be clean.
    seconds: from the picture to the answer.
  """

  person: str
  question: int
  kind: str
  level: int | None
  seconds: float


class Turn(NamedTuple):
  """Where a person is.

  Attributes:
    question: number of the next question; None at the end.
    ahead: number of the one after it, None likewise.
    done: questions answered.
  """

  question: int | None
  ahead: int | None
  done: int


class Store:
  """The people and answers of one test; a context manager. Threads may share it, and any number of processes the file.

  Args:
    path: of the file, which is made if there is none.
    questionnaire: of the test.

  Raises:
    InputError: the file holds answers to another test, is something else, or cannot be used.
  """

  def __init__(self, path: Path, questionnaire: Questionnaire):
    self.path, self.questionnaire = path, questionnaire
    self._lock = threading.Lock()
    with _refusing(path), FileLock(path.with_name(fitting_name(path.parent, path.name, ".lock"))):
      self._connection = _connect(path, "rwc")
      try:
        _check_same(path, self._describe(json.dumps(questionnaire.to_dict())), questionnaire)
        self._connection.execute("PRAGMA journal_mode = WAL")  # who reads waits for nobody
      except BaseException:
        self.close()
        raise

  def _describe(self, description: str) -> str:
    """The description in the file; the given one, where it is new."""
    with self._lock, self._connection as connection:
      connection.execute("BEGIN IMMEDIATE")
      if not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        for table in _TABLES:
          connection.execute(table)
        connection.execute("INSERT INTO test VALUES (?)", [description])
      return _description(connection)

  def close(self) -> None:
    with self._lock:
      self._connection.close()

  def __enter__(self) -> "Store":
    return self

  def __exit__(self, *error: object) -> None:
    self.close()

  def add_person(self) -> str:
    """Somebody new, by a random name that nobody guesses."""
    person = secrets.token_urlsafe(16)
    self._write("INSERT INTO people VALUES (?)", [person])
    return person

  def turn(self, person: str) -> Turn:
    """Where a person is in the test; everybody has the questions in an order of their own.

    Raises:
      Unknown: nobody has this name.
    """
    with self._lock:
      known = self._connection.execute("SELECT 1 FROM people WHERE person = ?", [person]).fetchone()
      rows = self._connection.execute("SELECT question FROM answers WHERE person = ?", [person]).fetchall()
    if not known:
      raise Unknown("no such person")
    done = {question for (question,) in rows}
    open_ones = [number for number in order_of(person, len(self.questionnaire.questions)) if number not in done]
    following, ahead, *_ = *open_ones, None, None
    return Turn(following, ahead, len(done))

  def add(self, given: Given) -> None:
    """Keeps an answer; when this returns, it is on the disk.

    Raises:
      Unknown: there is no such person, or no such question.
      AnsweredAlready: the person has answered it before.
      ValueError: a kind or a level that is no answer to the question.
    """
    if not 0 <= given.question < len(self.questionnaire.questions):
      raise Unknown("no such question")
    check_answer(self.questionnaire, given)
    try:
      self._write("INSERT INTO answers (person, question, kind, level, seconds) VALUES (?, ?, ?, ?, ?)", list(given))
    except sqlite3.IntegrityError as error:
      if error.sqlite_errorname == "SQLITE_CONSTRAINT_FOREIGNKEY":
        raise Unknown("no such person") from error
      raise AnsweredAlready("this question is answered already") from error

  def _write(self, statement: str, values: list[Any]) -> None:
    with self._lock:
      self._connection.execute(statement, values)  # a transaction of its own

  def answers(self) -> list[Given]:
    """All answers, in the order in which they came."""
    with self._lock:
      return _answers(self._connection)


def read_store(path: Path) -> tuple[Questionnaire, list[Given]]:
  """The test and the answers of a file, also while others write it.

  Raises:
    InputError: there is no such file, or it is something else.
  """
  if not path.is_file():
    raise InputError(f"answers {path}: no such file")
  with _refusing(path), closing(_connect(path, "rw")) as connection:
    connection.execute("BEGIN")
    description, answers = _description(connection), _answers(connection)
  return _parsed(path, description), answers


def order_of(person: str, count: int) -> list[int]:
  """The order in which a person gets the questions: random, and always the same."""
  return sorted(range(count), key=lambda number: hashlib.blake2b(f"{person}/{number}".encode()).digest())


def check_answer(questionnaire: Questionnaire, given: Given) -> None:
  """Raises ValueError for what is no answer to its question."""
  if given.kind not in questionnaire.answers_to(given.question):
    raise ValueError(f"kind: expected one of {', '.join(questionnaire.answers_to(given.question))}")
  if given.kind == CLEAN and given.level is not None:
    raise ValueError("level: expected none, since a clean picture has none")
  if given.kind != CLEAN and given.level not in range(1, LEVELS + 1):
    raise ValueError(f"level: expected 1 to {LEVELS}")
  if not 0 <= given.seconds < float("inf"):
    raise ValueError("seconds: expected a number of at least 0")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
  connection = sqlite3.connect(
    f"{path.absolute().as_uri()}?mode={mode}",
    uri=True,
    timeout=_PATIENCE,
    isolation_level=None,
    check_same_thread=False,
  )
  try:
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
  except BaseException:
    connection.close()
    raise
  return connection


@contextmanager
def _refusing(path: Path) -> Generator[None]:
  """Turns what SQLite or the system has against a file into one line for people."""
  try:
    yield
  except (sqlite3.Error, OSError) as error:
    raise InputError(f"answers {path}: cannot be used ({reason_of(error)})") from error


def _description(connection: sqlite3.Connection) -> str:
  return connection.execute("SELECT description FROM test").fetchone()[0]


def _answers(connection: sqlite3.Connection) -> list[Given]:
  rows = connection.execute("SELECT person, question, kind, level, seconds FROM answers ORDER BY number")
  return [Given(*row) for row in rows]


def _parsed(path: Path, description: str) -> Questionnaire:
  try:
    return Questionnaire.from_dict(json.loads(description))
  except ValueError as error:
    raise InputError(f"answers {path}: holds no test that this version knows") from error


def _check_same(path: Path, description: str, questionnaire: Questionnaire) -> None:
  """Raises InputError where a file was begun with another test."""
  kept, own = _parsed(path, description).to_dict(), questionnaire.to_dict()
  if kept != own:
    differing = [name for name in own if kept[name] != own[name]]
    raise InputError(
      f"answers {path}: begun with another test (other {', '.join(differing)}); give another file, "
      "or the pictures and options that it was begun with"
    )
