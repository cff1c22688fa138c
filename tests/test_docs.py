"""The documentation is true: its links, its commands, its examples."""

import importlib
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

import jaxdistort
from benchmarks import accelerator
from benchmarks import cli as benchmarks
from benchmarks.gallery import parameter_table
from jaxdistort.cli import COMMANDS
from jaxdistort.cli import train as train_command
from jaxdistort.data import DATABASES, SOURCES, VIEWS, open_database, open_pictures
from jaxdistort.distortions import DISTORTIONS, SEVERITY_TABLES
from jaxdistort.protocols import PROTOCOLS
from jaxdistort.tasks import TASKS, LabelSpace

_ROOT = Path(__file__).parents[1]
_PAGES = sorted([*_ROOT.glob("*.md"), *_ROOT.glob("docs/*.md")])
_THAT_RUN = [_ROOT / "CONTRIBUTING.md", _ROOT / "docs/design.md", _ROOT / "docs/distortions.md"]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TABLES = (DATABASES, DISTORTIONS, PROTOCOLS, SEVERITY_TABLES, SOURCES, TASKS, VIEWS)
_OF_PROCESSES = {"coordinator", "processes", "process"}  # flags of train that its own parser takes first


def _id(page: Path) -> str:
  return page.relative_to(_ROOT).as_posix()


def _blocks(page: Path, language: str) -> list[str]:
  return [body for name, body in _FENCE.findall(page.read_text()) if name == language]


def _commands() -> Iterator[tuple[str, list[str]]]:
  """Every command of the pages, in blocks and between backticks, as words from the program on."""
  for page in _PAGES:
    text = page.read_text()
    spans = re.findall(r"`([^`]+)`", _FENCE.sub("", text))
    for line in [*"\n".join(_blocks(page, "sh")).replace("\\\n", " ").splitlines(), *spans]:
      words = shlex.split(line, comments=True) if re.search(r"scripts/|benchmarks/|jaxdistort |make ", line) else []
      for place, word in enumerate(words):
        if word in ("jaxdistort", "make") and place == 0:
          yield _id(page), words
        elif re.fullmatch(r"(scripts|benchmarks)/\w+\.py", word) and place and words[place - 1] == "python":
          yield _id(page), words[place:]


def _anchors(page: Path) -> set[str]:
  """The headings of a page as links name them."""
  headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text()), re.MULTILINE)
  return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", _PAGES, ids=_id)
def test_links_lead_somewhere(page):
  for target in re.findall(r"\]\(([^)\s]+)\)", _FENCE.sub("", page.read_text())):
    if "://" in target:
      continue
    name, _, anchor = target.partition("#")
    place = page.parent / name if name else page
    assert place.exists(), target
    assert not anchor or anchor in _anchors(place), target


def test_the_parameters_of_all_distortions_are_listed():
  assert parameter_table() in (_ROOT / "docs/distortions.md").read_text(), (
    "python -m benchmarks.gallery prints the table"
  )


def test_the_readme_is_short():
  assert len((_ROOT / "README.md").read_text().splitlines()) <= 150


def test_every_page_is_in_the_readme():
  text = (_ROOT / "README.md").read_text()
  assert [_id(page) for page in _PAGES if page.name != "README.md" and f"]({_id(page)}" not in text] == []


def test_nothing_lies_on_somebodys_machine():
  places = [path for path in _ROOT.glob("docs/**/*") if path.suffix in (".md", ".html", ".json")]
  for path in [*_PAGES, *places, *_ROOT.glob("configs/*.py"), _ROOT / "CITATION.cff"]:
    found = re.search(r"(?<![\w.~/:+-])/(home|mnt|opt|root|srv|tmp|usr|var|work|Users)/", path.read_text())
    assert not found, f"{path.name}: {found}"


def _check_train(words: list[str]) -> None:
  train_command.check_config(words)
  flags = [match[1] for match in (re.match(r"--([\w]+)", word) for word in words) if match]
  assert set(flags) <= {"config", "workdir", *_OF_PROCESSES}, words


def _check(words: list[str]) -> None:
  """Parses a command as its program would."""
  program, *rest = words
  if program == "make":
    targets = re.findall(r"^([\w]+):", (_ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(rest) <= set(targets), words
    return
  if program in ("scripts/benchmark.py", "benchmarks/accelerator.py"):
    at_once = program == "benchmarks/accelerator.py"
    if at_once or rest[0] == "accelerator":
      accelerator.parse_arguments(rest[not at_once :])
    else:
      benchmarks.parse_arguments(rest)
    return
  name = Path(program).stem.partition("_weights")[0].replace("_", "-")
  if program == "jaxdistort":
    name, *rest = rest
  assert name in COMMANDS, words
  if program == "jaxdistort" and not rest:  # the command is only named
    return
  if name == "train":
    _check_train(rest)
  else:
    importlib.import_module(f"jaxdistort.cli.{name.replace('-', '_')}").parse_arguments(rest)


def test_commands_are_known(monkeypatch):
  monkeypatch.chdir(_ROOT)
  found = list(_commands())
  assert {"README.md", "docs/benchmarks.md", "docs/sweeps.md"} <= {page for page, _ in found}
  assert len(found) > 40
  for page, words in found:
    try:
      _check(words)
    except ValueError as error:
      pytest.fail(f"{page}: {shlex.join(words)}: {error}")


@pytest.fixture
def tables_as_before():
  before = [set(table) for table in _TABLES]
  yield
  for table, names in zip(_TABLES, before, strict=True):
    for name in set(table) - names:
      table.unregister(name)


@pytest.mark.usefixtures("tables_as_before")
@pytest.mark.long
@pytest.mark.parametrize("page", _THAT_RUN, ids=_id)
def test_examples_run(page):
  names = {"__name__": "example"}
  for block in _blocks(page, "python"):
    exec(compile(block, page.name, "exec", dont_inherit=True), names)


@pytest.mark.parametrize("page", _PAGES, ids=_id)
def test_examples_are_python(page):
  for block in _blocks(page, "python"):
    compile(block, page.name, "exec", dont_inherit=True)


@pytest.mark.long
@pytest.mark.usefixtures("tables_as_before")
def test_what_contributing_adds_is_used_everywhere(tmp_path):
  names = {"__name__": "example"}
  for block in _blocks(_ROOT / "CONTRIBUTING.md", "python"):
    exec(compile(block, "CONTRIBUTING.md", "exec", dont_inherit=True), names)
  grey = jnp.full((8, 8, 3), 100, jnp.uint8)
  assert (DISTORTIONS["dim"](jax.random.key(0), grey) == 50).all()
  assert (DISTORTIONS["dim"](jax.random.key(0), grey, share=0) == 100).all()
  pictures = open_pictures("gradients:400", "train")
  assert pictures.load(0, 16).shape == (16, 16, 3)
  assert 340 < len(pictures) < 400
  task = TASKS["smooth_classification"](LabelSpace(("gaussian_blur",), ("blur",)))
  losses = task.losses(jnp.array([[9.0, 0.0], [0.0, 9.0]]), jnp.array([0, 0]))
  np.testing.assert_allclose(losses, [0.05 * 9, 0.95 * 9], atol=1e-3)
  for folder, name in (("references", "a.png"), ("distorted", "a_blur_2.5.png")):
    (tmp_path / folder).mkdir()
    Image.new("RGB", (20, 20)).save(tmp_path / folder / name)
  database = open_database(f"pairs:{tmp_path}")
  assert [(p.type, p.original) for p in database.pictures] == [("reference", "a"), ("blur", "a")]
  assert database.pictures[1].level == 2.5


def test_the_version_is_in_one_place():
  project = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
  assert jaxdistort.__version__ == project["version"]
  assert not re.search(r"^(version|date-released):", (_ROOT / "CITATION.cff").read_text(), re.MULTILINE)
  assert project["version"] not in "".join(path.read_text() for path in _ROOT.glob("jaxdistort/**/*.py"))


def test_configs_do_not_ask_for_the_machine():
  for path in _ROOT.glob("configs/*.py"):
    assert "import jax\n" not in path.read_text(), path.name
    assert "paper" not in path.read_text(), path.name
