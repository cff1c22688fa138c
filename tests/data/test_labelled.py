"""Tables of labelled pictures, as people and their programs write them."""

import math

import pytest

from jaxdistort.data import is_labelled, open_labelled
from jaxdistort.errors import InputError


def _opened(tmp_path, text, encoding="utf-8"):
  file = tmp_path / "set" / "labels.csv"
  file.parent.mkdir(exist_ok=True)
  file.write_bytes(text.encode(encoding))
  return file, open_labelled(f"labelled:{file}")


def test_rows_become_pictures_with_labels(tmp_path):
  text = (
    "path,kinds,severity,group,scene,note\n"
    "a.png,gaussian_blur;jpeg,0.25;,phones,cat,of no use\n"
    "\n"
    "more/b.png,clean,,phones\n"
    f"{tmp_path}/c.png,,,,dog,\n"
    "d.png, underexposed? ; noise ,\n"
  )
  file, pictures = _opened(tmp_path, text)
  assert is_labelled(f"labelled:{file}")
  assert not is_labelled(str(file))
  assert (pictures.name, pictures.problems) == ("set/labels.csv", ())
  first, second, third, fourth = pictures.rows
  assert [label.name for label in first.labels] == ["gaussian_blur", "jpeg"]
  assert first.labels[0].severity == 0.25
  assert math.isnan(first.labels[1].severity)
  assert (first.subset, first.scene, first.source) == ("phones", "cat", f"{file} line 2")
  assert first.in_words == "gaussian_blur;jpeg"
  assert (second.path, second.labels, second.scene) == (file.parent / "more" / "b.png", (), "more/b.png")
  assert (third.path, third.labels, third.subset, third.in_words) == (tmp_path / "c.png", (), "", "clean")
  assert fourth.doubtful == ("underexposed?",)
  assert [picture.path for picture in pictures.pictures] == [row.path for row in pictures.rows]
  assert [picture.original for picture in pictures.pictures] == ["cat", "more/b.png", "dog", "d.png"]


@pytest.mark.parametrize(
  "text",
  ["\ufeffPath,Kinds\r\na.png,blur;noise\r\n", 'path;kinds\na.png;"blur;noise"\n', "kinds\tpath\nblur; noise\ta.png"],
)
def test_tables_of_many_programs(tmp_path, text):
  (row,) = _opened(tmp_path, text)[1].rows
  assert (row.name, row.in_words) == ("a.png", "blur;noise")


def test_a_picture_counts_once(tmp_path):
  file, pictures = _opened(tmp_path, "path,kinds\na.png,blur\n./a.png,noise\nb.png,\n")
  assert [row.in_words for row in pictures.rows] == ["blur", "clean"]
  assert pictures.problems == (f"{file} line 3 names ./a.png once more: only the first line counts",)


@pytest.mark.parametrize(
  ("text", "message"),
  [
    ("", "labels.csv: no column path; expected a head with path and kinds .*, found nothing"),
    ("file,kinds\na.png,blur\n", "no column path; .*, found file, kinds"),
    ("path,label\na.png,blur\n", "no column kinds; "),
    ("path,kinds,kinds\na.png,,\n", "the column kinds is there twice"),
    ("path,kinds\n\n", "holds no rows under its head"),
    ("path,kinds\n,blur\n", "line 2: no path"),
    ("path,kinds\na.png,blur,noise\n", "line 2: expected 2 cells under 2 columns, found 3"),
    ("path,kinds\na.png,blur;;noise\n", "line 2: kinds: expected names with ; between, got 'blur;;noise'"),
    ("path,kinds\na.png,clean;noise\n", "line 2: kinds: expected clean alone or not at all"),
    ("path,kinds,severity\na.png,blur,0.1;0.2\n", "line 2: severity: expected one for each of 1 kinds, .* got 2"),
    ("path,kinds,severity\na.png,,0.1\n", "line 2: severity: expected one for each of 0 kinds"),
    ("path,kinds,severity\na.png,blur,high\n", "line 2: severity: expected numbers within 0..1, got 'high'"),
    ("path,kinds,severity\na.png,blur,50\n", "line 2: severity: expected numbers within 0..1, got '50'"),
    ("path,kinds\na\0.png,blur\n", "labels.csv: is no text"),
    ("path,kinds\n" + "a" * 200_000, "line 2: is no CSV: field larger than field limit"),
  ],
)
def test_what_cannot_be_understood_is_one_line(tmp_path, text, message):
  with pytest.raises(InputError, match=message):
    _opened(tmp_path, text)


def test_a_table_must_be_there(tmp_path):
  with pytest.raises(InputError, match=r"nowhere.csv: cannot be read: No such file or directory; expected a table"):
    open_labelled(f"labelled:{tmp_path}/nowhere.csv")
  with pytest.raises(InputError, match="no file is named"):
    open_labelled("labelled:")
