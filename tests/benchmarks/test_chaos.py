"""A few rounds of chaos, of the command that takes the least time."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]


@pytest.mark.long
def test_every_fault_once(tmp_path):
  words = ["--command", "prepare", "--rounds", "9", "--output", str(tmp_path / "chaos")]
  command = [sys.executable, "-m", "benchmarks.chaos", *words]
  ended = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
  assert ended.returncode == 0, ended.stdout + ended.stderr
  rows = [json.loads(row) for row in (tmp_path / "chaos" / "rounds.jsonl").read_text().splitlines()]
  assert len({row["fault"] for row in rows}) >= 8  # a full disk needs one that may be mounted
  assert json.loads((tmp_path / "chaos" / "summary.json").read_text())["right"] == 9
