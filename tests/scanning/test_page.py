"""The page on a collection: what is counted, what is shown, and that a name of a file is no program."""

import base64
import io
import re

import pytest
from PIL import Image

from jaxdistort.scanning.formats import UNREADABLE, Known, State
from jaxdistort.scanning.page import render_collection
from jaxdistort.scanning.places import Local
from jaxdistort.tasks import CLEAN

_STATE = State(1, 1, "")


def _row(name, reason="", **severities):
  findings = (UNREADABLE,) if reason else tuple(severities) or (CLEAN,)
  kinds = tuple(f"some_{group}" for group in severities)
  return Known(name, _STATE, b"", findings, severities, kinds, (), {}, reason)


@pytest.fixture
def folder(photographs, tmp_path):
  for number in range(4):
    Image.fromarray(photographs[number]).save(tmp_path / f"{number}.png")
  return tmp_path


def test_counts_and_the_worst_pictures(folder):
  rows = [
    _row("0.png"),
    _row("1.png", blur=0.31),
    _row("2.png", blur=1.0, noise=0.05),
    _row("broken.jpg", "no picture"),
  ]
  page = render_collection(Local(folder), rows)
  assert "4 pictures: nothing found on 1 (25.0 %), 1 could not be read." in page
  assert 'aria-label="0, 0, 0, 1, 0, 0, 0, 0, 0, 1"' in page  # of blur, 1 in the last bin
  blur = page.partition("The worst of blur")[2].partition("The worst of noise")[0]
  assert blur.index("2.png") < blur.index("1.png")
  assert "blur, noise, some blur, some noise, 1.00" in blur
  images = [Image.open(io.BytesIO(base64.b64decode(code))) for code in re.findall(r"base64,([^\"]*)", blur)]
  assert len(images) == 2
  assert all(max(image.size) <= 200 for image in images)
  listed = page.partition("<tbody>")[2]
  assert [name for name in ("0.png", "1.png", "2.png", "broken.jpg") if name in listed] == [
    "1.png",
    "2.png",
    "broken.jpg",
  ]


def test_every_group_is_said_and_what_has_no_severity_comes_first(folder):
  both = Known("1.png", _STATE, b"", ("blur", "noise"), {"blur": 0.9, "noise": 0.3}, ("defocus_blur",), (), {}, "")
  page = render_collection(Local(folder), [both, _row("0.png", jpeg=None)])
  assert "blur, noise, defocus blur, 0.30" in page.partition("The worst of noise")[2]
  assert 'aria-label="0, 0, 0, 0, 0, 0, 0, 0, 0, 0"' in page  # of jpeg
  listed = page.partition("<tbody>")[2]
  assert listed.index("0.png") < listed.index("1.png")


def test_names_are_no_html_and_files_that_have_gone_are_no_error(folder):
  page = render_collection(
    Local(folder), [_row('<img src=x onerror="alert(1)">.png', blur=0.5), _row("caf\udce9.png", blur=1)]
  )
  assert "<img src=x" not in page
  assert "caf%E9.png" in page
  page.encode()  # nothing of the name's bytes is left in the text


def test_of_many_only_the_worst_are_kept(folder):
  page = render_collection(Local(folder), (_row(f"{number}.png", light=number / 2000) for number in range(2000)))
  assert "The 1,000 worst; 1,000 more are in the table of the scan." in page
  assert page.partition("The worst of light")[2].partition("All findings")[0].count("<figure>") == 12
  assert "1999.png" in page
  assert "/999.png" not in page


def test_a_folder_without_findings(folder):
  page = render_collection(Local(folder), [_row("0.png"), _row("1.png")])
  assert "nothing found on 2 (100.0 %)." in page
  assert "<script>" not in page
