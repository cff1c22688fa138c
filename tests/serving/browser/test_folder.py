"""Many pictures: the table and its file."""

import csv
import io

import pytest
from selenium.webdriver.support.select import Select

pytestmark = pytest.mark.long

_FORMULA = '=1+1, "so".png'


@pytest.fixture
def table(page, sharp, noisy, tmp_path):
  """A table of four files, one of them no picture, one with an evil name; a fifth is none by its name."""
  evil, broken, notes = tmp_path / _FORMULA, tmp_path / "broken.png", tmp_path / "notes.md"
  evil.write_bytes(sharp.read_bytes())
  broken.write_bytes(b"no picture")
  notes.write_text("no picture either")
  page.expected = ("422",)
  page.click("nav a[href='#folder']")
  page.one("#files").send_keys("\n".join(map(str, (sharp, noisy, evil, broken, notes))))
  page.wait("#table-panel[data-state=finished] tbody tr:nth-child(4)")
  return page


def _names(page):
  return page.texts("#table tbody td:first-child")


def test_the_table_is_sorted_and_filtered(table):
  assert _names(table) == [_FORMULA, "broken.png", "noisy.png", "sharp.png"]
  assert "1 file left out" in table.text("#progress-text")
  table.click("#table th:nth-child(1) button")
  assert _names(table) == ["sharp.png", "noisy.png", "broken.png", _FORMULA]
  assert table.one("#table th:nth-child(1)").get_attribute("aria-sort") == "descending"
  table.click("#table th:nth-child(4) button")  # severity, the greatest first
  assert _names(table)[0] == "noisy.png"
  assert table.one("#table th:nth-child(1)").get_attribute("aria-sort") is None
  Select(table.one("#only")).select_by_value("error")
  assert _names(table) == ["broken.png"]
  Select(table.one("#only")).select_by_value("group noise")
  assert "noisy.png" in _names(table)
  Select(table.one("#only")).select_by_value("")
  table.one("#name").send_keys("SHARP")
  assert _names(table) == ["sharp.png"]
  assert table.text("#count") == "1 picture"


def test_the_file_has_what_the_table_shows(table):
  table.click("#csv")
  path = table.until(lambda: next(iter(table.downloads.glob("answers.csv")), None))
  text = table.until(path.read_bytes).decode("utf-8-sig")
  rows = list(csv.DictReader(io.StringIO(text, newline="")))
  assert [row["path"] for row in rows] == [f"'{_FORMULA}", "broken.png", "noisy.png", "sharp.png"]
  assert rows[2]["groups"].split(";")[0] == "noise"
  assert float(rows[2]["p_noise"]) > 0.5
  assert float(rows[2]["noise"]) > 0
  assert rows[1]["error"]
  assert rows[1]["clean"] == ""


def test_a_row_leads_to_its_picture(table):
  table.click("#table tbody tr:nth-child(3) button")
  table.wait("#answer-panel[data-state=located]")
  assert table.one("#shown img").get_attribute("alt") == "The picture noisy.png"


def test_dropped_pictures_make_a_table(page, sharp, noisy):
  page.drop(sharp, noisy)
  page.wait("#table-panel[data-state=finished] tbody tr:nth-child(2)")
  assert _names(page) == ["noisy.png", "sharp.png"]
