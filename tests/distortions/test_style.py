"""What every registered op looks like: its arguments, its docstring, its entry."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import jaxdistort.distortions
from jaxdistort.distortions import DISTORTIONS, GROUPS

_SECTIONS = ("Args", "Returns", "Raises", "Source")


@pytest.mark.parametrize("distortion", DISTORTIONS.values(), ids=DISTORTIONS)
def test_arguments(distortion):
  arguments = list(inspect.signature(distortion.op).parameters.values())
  leading = [*(["key"] if distortion.random else []), "image", *(p.name for p in distortion.parameters)]
  assert [a.name for a in arguments[: len(leading)]] == leading
  for argument in arguments[: len(leading)]:
    assert argument.kind is argument.POSITIONAL_OR_KEYWORD
    assert argument.default is argument.empty  # defaults are the registry's
  for option in arguments[len(leading) :]:
    assert option.kind is option.KEYWORD_ONLY
    assert option.default is not option.empty
  assert dict(distortion.options).keys() <= {a.name for a in arguments[len(leading) :]}


@pytest.mark.parametrize("distortion", DISTORTIONS.values(), ids=DISTORTIONS)
def test_docstring(distortion):
  text = inspect.getdoc(distortion.op) or ""
  assert text.splitlines()[0].endswith((".", ","))
  places = [text.find(f"\n\n{section}:") for section in _SECTIONS]
  assert -1 not in places
  assert places == sorted(places)
  described = text[places[0] : places[1]]
  for argument in inspect.signature(distortion.op).parameters:
    assert re.search(rf"^  (\w+, )*{argument}(, \w+)*: ", described, re.MULTILINE), argument
  for parameter in distortion.parameters:
    line = next(line for line in described.splitlines() if re.match(rf"  (\w+, )*{parameter.name}\b", line))
    assert re.search(r"\d\.\.[\d(m]", line), f"no bounds: {line}"
  assert "traced" in text[places[1] : places[2]]  # what comes of a value that cannot be seen


@pytest.mark.parametrize("distortion", DISTORTIONS.values(), ids=DISTORTIONS)
def test_entry(distortion):
  assert DISTORTIONS[distortion.name] is distortion
  assert distortion.group in GROUPS
  assert distortion.parameters
  for p in distortion.parameters:
    assert p.low <= p.default <= p.high
    assert p.low <= p.weakest <= p.high
    assert p.unit in ("", "px", "px/rad", "rad", "levels", "stops", "dB")
  assert set(distortion.graded) <= {p.name for p in distortion.parameters}


def test_the_package_is_usable_alone():
  for path in Path(jaxdistort.distortions.__file__).parent.rglob("*.py"):
    for node in ast.walk(ast.parse(path.read_text())):
      if isinstance(node, ast.ImportFrom) and str(node.module).startswith("jaxdistort"):
        assert re.match(r"jaxdistort\.(distortions|errors$|registry$)", str(node.module)), path.name
