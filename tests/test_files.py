"""Files for people and for programs."""

import json

import pytest

from jaxdistort.files import write_json


def test_json_holds_no_more_than_json_can(tmp_path):
  write_json(tmp_path / "a.json", {"loss": float("inf"), "rows": [(1.5, float("nan"))], "names": ["NaN"], "at": None})

  def refuse(word):
    pytest.fail(f"{word} is no JSON")

  found = json.loads((tmp_path / "a.json").read_text(), parse_constant=refuse)
  assert found == {"loss": None, "rows": [[1.5, None]], "names": ["NaN"], "at": None}
