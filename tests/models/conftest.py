"""What the tests of networks share."""

import pytest

from jaxdistort.models import resnet


@pytest.fixture
def short_resnet(monkeypatch):
  """ResNet50 with the first block of each stage alone: all that it is made of, in a quarter of the time."""
  monkeypatch.setattr(resnet, "BLOCKS", tuple(block for block in resnet.BLOCKS if block[0].endswith("a")))
