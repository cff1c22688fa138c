"""For tests of many tables."""

import sys

import pytest


@pytest.fixture
def frozen(monkeypatch):
  """Tables are read in this process, as in a frozen program: to start another takes longer than to read them."""
  monkeypatch.setattr(sys, "frozen", True, raising=False)
