"""The house: data flows one way, and only the command line speaks to people."""

import ast
import re
from pathlib import Path

import pytest

_PACKAGE = Path(__file__).parents[1] / "jaxdistort"
_ORDER = (
  *("errors", "registry", "shuffle", "files", "locking", "progress", "foreign"),
  *("runtime", "distortions", "data", "protocols", "metrics", "models", "tasks", "config"),
  *("inference", "scanning", "evaluation", "reporting", "generation", "training"),
  *("human", "serving", "cli", "__main__"),
)
_FILES = sorted(_PACKAGE.rglob("*.py"))


def _room(file):
  return file.relative_to(_PACKAGE).parts[0].removesuffix(".py")


def _imported_rooms(file):
  """Rooms that a file imports from, wherever in the file."""
  nodes = ast.walk(ast.parse(file.read_text()))
  modules = [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
  return {module.split(".")[1] for module in modules if module.startswith("jaxdistort.")} - {_room(file)}


@pytest.mark.slow
def test_every_room_imports_from_earlier_ones_alone():
  for file in _FILES:
    if file != _PACKAGE / "__init__.py":
      later = set(_ORDER[_ORDER.index(_room(file)) :])
      assert not _imported_rooms(file) & later, file


@pytest.mark.long
@pytest.mark.parametrize("file", [f for f in _FILES if _room(f) != "cli"], ids=lambda f: str(f.relative_to(_PACKAGE)))
def test_the_library_never_prints_or_parses_flags(file):
  tree = ast.parse(file.read_text())
  called = [node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
  assert "print" not in called
  texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
  assert not [text for text in texts if re.search(r"(^|\s)--[a-z]", text)], "names a flag"
  assert not [text for text in texts if "scripts/" in text], "names a script"


def test_no_file_is_longer_than_a_person_reads():
  root = _PACKAGE.parent
  files = [f for folder in ("jaxdistort", "benchmarks", "scripts", "tests") for f in (root / folder).rglob("*.py")]
  assert not [f for f in files if len(f.read_text().splitlines()) > 300]
