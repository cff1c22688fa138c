"""A recogniser that scans quickly."""

import pytest

from tests.inference.recognisers import small_recogniser


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory):
  return small_recogniser(tmp_path_factory.mktemp("run"))
