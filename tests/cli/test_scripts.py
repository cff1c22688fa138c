"""The scripts are also imported, by the processes that decode pictures."""

import runpy
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_SCRIPTS = [*sorted(_ROOT.glob("scripts/*.py")), _ROOT / "jaxdistort" / "__main__.py"]


@pytest.mark.parametrize("path", _SCRIPTS, ids=lambda path: path.name)
def test_a_worker_that_imports_a_script_does_not_run_it(path, monkeypatch):
  monkeypatch.setattr("sys.argv", [str(path), "--help"])
  monkeypatch.setattr("sys.path", [*sys.path])
  runpy.run_path(str(path), run_name="__mp_main__")  # as multiprocessing does; a command would end the process
