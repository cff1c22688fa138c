"""Tables of databases in every form that programs write them in: the right rows, or the wrong one is named."""

import codecs
import csv
import io

import openpyxl
import pytest

from jaxdistort.data.databases import REFERENCE, open_database
from jaxdistort.errors import InputError
from tests.data import miniatures


@pytest.fixture(scope="module", params=["tid2008", "kadid10k", "csiq", "live"])
def database(request, tmp_path_factory):
  """A miniature, the table of it that is text, and its rows."""
  kind, root = request.param, tmp_path_factory.mktemp(request.param)
  if kind == "tid2008":
    table = miniatures.build_tid(root, 17, 4) / "mos_with_names.txt"
  elif kind == "kadid10k":
    table = miniatures.build_kadid(root) / "dmos.csv"
  elif kind == "csiq":
    table = _csiq_as_text(miniatures.build_csiq(root))
  else:
    table = miniatures.build_live(root) / "wn" / "info.txt"
    (root / "dmos.mat").unlink()  # takes a while to read, and is no text
  text = table.read_text()
  rows = list(csv.reader(text.splitlines())) if "," in text else [line.split() for line in text.splitlines()]
  return kind, root, table, rows


def _csiq_as_text(root):
  sheet = openpyxl.load_workbook(root / "csiq.DMOS.xlsx").worksheets[0]
  rows = [["" if cell is None else cell for cell in row] for row in sheet.iter_rows(values_only=True)]
  with (root / "csiq.dmos.csv").open("w", newline="") as file:
    csv.writer(file, lineterminator="\n").writerows(rows)
  (root / "csiq.DMOS.xlsx").unlink()
  return root / "csiq.dmos.csv"


def _joined(rows, separator, *, quoted=False, comma=False, end="\n"):
  rows = [[cell.replace(".", ",") if comma and _is_number(cell) else cell for cell in row] for row in rows]
  text, quoting = io.StringIO(), csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
  csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting).writerows(rows)
  return text.getvalue()


def _is_number(cell):
  try:
    float(cell)
  except ValueError:
    return False
  return True


def _commented(rows):
  lines = _joined(rows, ";").splitlines()
  return "sep=;\n# made by a person\n\n" + "\n  \n% a note\n;;;\n// more\n".join(lines) + "\n\n"


def _turned(rows):
  return _joined([row[::-1] for row in rows], ";")


def _padded(rows):
  return "\n".join("  ;  ".join([*row[:-1], f"{row[-1]}  "]) for row in rows)


FORMS = {
  "UTF-8 with a mark": lambda rows: codecs.BOM_UTF8 + _joined(rows, ",").encode(),
  "UTF-16": lambda rows: _joined(rows, "\t").encode("utf-16"),
  "UTF-16, big end first": lambda rows: codecs.BOM_UTF16_BE + _joined(rows, ";").encode("utf-16-be"),
  "UTF-32": lambda rows: _joined(rows, ",").encode("utf-32"),
  "semicolons": lambda rows: _joined(rows, ";"),
  "semicolons and decimal commas": lambda rows: _joined(rows, ";", comma=True),
  "tabs and decimal commas": lambda rows: _joined(rows, "\t", comma=True),
  "commas, decimal commas and quotes": lambda rows: _joined(rows, ",", comma=True),
  "all quoted": lambda rows: _joined(rows, ",", quoted=True),
  "single quotes": lambda rows: "\n".join(";".join(f"'{cell}'" for cell in row) for row in rows),
  "CRLF": lambda rows: _joined(rows, ",", end="\r\n"),
  "CR": lambda rows: _joined(rows, ";", end="\r"),
  "columns in another order": _turned,
  "spaces around": _padded,
  "blank lines and comments": _commented,
  "upper case": lambda rows: _joined(rows, ",").upper(),
  "separators at the end": lambda rows: "".join(f"{line};\n" for line in _joined(rows, ";").splitlines()),
}


@pytest.mark.long
@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_pictures(database, form):
  kind, root, table, rows = database
  expected = _found(kind, root, table, _joined(rows, ",").encode())
  assert len(expected) > 20
  content = FORMS[form](rows)
  assert _found(kind, root, table, content if isinstance(content, bytes) else content.encode()) == expected


def _found(kind, root, table, content):
  before = table.read_bytes()
  table.write_bytes(content)
  try:
    database = open_database(f"{kind}:{root}")
  finally:
    table.write_bytes(before)
  assert database.problems == (("no dmos.mat: scores are unknown",) if kind == "live" else ())
  return sorted((p.path.name, p.original, p.type, repr(p.level), repr(p.score)) for p in database.pictures)


def _spoilt(change):
  """A table in which the last row is changed."""
  return lambda rows, separator=";": _joined([*rows[:-1], change(list(rows[-1]))], separator)


def _number_to(text):
  def change(row):
    place = max(i for i, cell in enumerate(row) if _is_number(cell) and "." in cell)
    return [*row[:place], text, *row[place + 1 :]]

  return change


WRONG = {
  "both points and commas": _spoilt(_number_to("0,25")),
  "thousands and decimals": _spoilt(_number_to("1.234,5")),
  "two decimal commas": _spoilt(_number_to("1,2,3")),
  "a word": _spoilt(_number_to("good")),
  "no number": _spoilt(_number_to("nan")),
  "an endless number": _spoilt(_number_to("1e999")),
  "underscores": _spoilt(_number_to("1_0.5")),
  "a cell short": _spoilt(lambda row: row[:-1]),
  "a cell too many": _spoilt(lambda row: [*row, "more"]),
  "decimal commas between commas": lambda rows: _joined(rows, ",", comma=True).replace('"', ""),
  "another separator in the last line": lambda rows: _joined(rows[:-1], ";") + _joined(rows[-1:], ","),
}


@pytest.mark.parametrize("form", WRONG)
def test_what_is_ambiguous_is_refused_with_its_line(database, form):
  kind, root, table, rows = database
  if form == "both points and commas" and kind == "csiq":
    rows = [row if i < 6 else _number_to("0.125")(list(row)) for i, row in enumerate(rows)]
  rows = [row[:3] for row in rows] if kind == "kadid10k" else rows  # its last number is not read
  before, content = table.read_text(), WRONG[form](rows)
  table.write_text(content)
  try:
    with pytest.raises(InputError) as caught:
      open_database(f"{kind}:{root}")
  finally:
    table.write_text(before)
  message = str(caught.value)
  lines = len(content.splitlines())
  first = next(i for i, row in enumerate(rows, 1) if any(_is_number(cell) for cell in row))
  line = first if form == "decimal commas between commas" else lines
  assert f"{table.name} line {line}: expected " in message
  assert "found " in message


@pytest.mark.long
@pytest.mark.parametrize(
  ("content", "message"),
  [
    (b"", "expected the columns dist_img, ref_img and dmos, found nothing"),
    (b"\n\n# only comments\n", "found nothing"),
    (b"dist_img,ref_img,dmos\n", "no rows under the header with dist_img, ref_img and dmos"),
    (b"dist_img,ref_img,dmos,DMOS\nI01_01_01.png,I01.png,4,3\n", "line 1: the column dmos is there twice"),
    ("dist_img,ref_img,dmos\n".encode("utf-16-le"), r"is no text \(it has NUL characters\); save it as UTF-8"),
    (b"\x00" * 100, r"is no text"),
    (b"a" * 200_000, "expected the columns"),
  ],
)
def test_what_is_no_table(tmp_path, content, message):
  root = miniatures.build_kadid(tmp_path / "kadid")
  (root / "dmos.csv").write_bytes(content)
  with pytest.raises(InputError, match=message):
    open_database(f"kadid10k:{root}")
  tid = miniatures.build_tid(tmp_path / "tid", 1, 1)
  (tid / "mos_with_names.txt").write_bytes(content)
  with pytest.raises(InputError, match=r"mos_with_names\.txt"):
    open_database(f"tid2013:{tid}")


def test_headers_of_tables_that_have_none_are_passed_over(tmp_path):
  tid = miniatures.build_tid(tmp_path / "tid", 17, 4)
  table = tid / "mos_with_names.txt"
  table.write_text("MOS  name\n" + table.read_text())
  database = open_database(f"tid2008:{tid}")
  assert len(database.pictures) == 2 + 2 * 17 * 4
  assert database.problems == ()


@pytest.mark.slow
def test_a_workbook_in_another_order_and_with_commas(tmp_path):
  root = miniatures.build_csiq(tmp_path / "csiq")
  book = openpyxl.load_workbook(root / "csiq.DMOS.xlsx")
  rows = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
  expected = [(p.path, p.score) for p in open_database(f"csiq:{root}").pictures if p.type != REFERENCE]
  book = openpyxl.Workbook()
  for row in rows:
    turned = [cell.upper() if isinstance(cell, str) else cell for cell in row[::-1]]
    book.active.append([str(cell).replace(".", ",") if isinstance(cell, float) else cell for cell in turned])
  book.active.append([0.5])  # a mean below a column
  book.save(root / "csiq.DMOS.xlsx")
  found = [(p.path, p.score) for p in open_database(f"csiq:{root}").pictures if p.type != REFERENCE]
  assert found == expected
