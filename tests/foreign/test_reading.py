"""Foreign files in a process of their own: whatever happens there, here it is one exception."""

import json
import os
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import h5py
import numpy as np
import openpyxl
import pytest
import scipy.io

from jaxdistort.foreign import reading as reading_module
from jaxdistort.foreign.reading import Damaged, reading


@pytest.fixture(scope="module")
def hdf5(tmp_path_factory):
  path = tmp_path_factory.mktemp("hdf5") / "file with spaces & ü.h5"
  with h5py.File(path, "w") as file:
    file["group/numbers"] = np.arange(12, dtype="<f4").reshape(3, 4)
    file["big"] = np.arange(5, dtype=">f8")
    file["none"] = np.empty((0, 3), np.float16)
    file["one"] = np.float64(7)
    file["words"] = ["a", "b"]
    file.create_dataset("vast", (1 << 40,), "f4")
    file.attrs["names"] = [b"a", b"b"]
    file.attrs["name"] = "keras"
  return path


def test_hdf5(hdf5):
  with reading("hdf5", hdf5) as file:
    assert file.call("shape", "") == file.call("shape", "group") == "group"
    assert file.call("shape", "group/numbers") == [3, 4]
    assert file.call("shape", "nothing/there") is None
    assert file.call("texts", "", "names") == ["a", "b"]
    assert file.call("texts", "group", "names") is None
    assert file.call("texts", "", "name") == ["keras"]
    for name in ("group/numbers", "big", "none", "one"):
      with h5py.File(hdf5) as same:
        found, expected = file.call("read", name), same[name][()]
      assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
      np.testing.assert_array_equal(found, expected)
    with pytest.raises(Damaged, match="holds object, no numbers"):
      file.call("read", "words")
    with pytest.raises(Damaged, match="doesn't exist"):
      file.call("read", "nothing")
    with pytest.raises(Damaged, match=r"Unable to allocate 4\.00 TiB"):
      file.call("read", "vast")
    assert file.call("shape", "big") == [5]  # it is still there


@pytest.mark.slow
def test_what_is_no_such_file(tmp_path):
  (tmp_path / "file").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
  for reader in ("hdf5", "matlab", "workbook"):
    with pytest.raises(Damaged, match=r"^[^\n]+$"), reading(reader, tmp_path / "file"):
      pass
  with pytest.raises(Damaged, match="No such file"), reading("hdf5", tmp_path / "nowhere"):
    pass


def test_a_reader_that_crashes(hdf5):
  with reading("hdf5", hdf5) as file:
    file._process.kill()
    for _ in range(2):
      with pytest.raises(Damaged, match=r"its reader crashed \(SIGKILL\)"):
        file.call("shape", "")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_reader_that_hangs(tmp_path):
  """A pipe into which nobody writes gives it nothing to read."""
  os.mkfifo(tmp_path / "pipe")
  with (
    pytest.raises(Damaged, match=r"its reader took longer than 0\.1 seconds"),
    reading("matlab", tmp_path / "pipe", patience=0.1),
  ):
    pass


def _with_rows(folder, rows):
  """changed.xlsx, a workbook with more rows than its dimension says, A1:A1."""
  book = openpyxl.Workbook()
  book.active.append(["x"])
  book.save(folder / "small.xlsx")
  with zipfile.ZipFile(folder / "small.xlsx") as small, zipfile.ZipFile(folder / "changed.xlsx", "w", 8) as changed:
    for name in small.namelist():
      content = small.read(name)
      assert not name.endswith("sheet1.xml") or b"<dimension" in content
      changed.writestr(name, content.replace(b"</sheetData>", rows + b"</sheetData>"))
  (folder / "small.xlsx").unlink()


@pytest.mark.slow
def test_a_reader_that_fills_the_memory(tmp_path):
  """A workbook that unpacks to 200 times its size."""
  _with_rows(tmp_path, b'<row><c t="inlineStr"><is><t>' + (b"x" * 30_000_000) + b"</t></is></c></row>")
  assert (tmp_path / "changed.xlsx").stat().st_size < 100_000
  with reading("workbook", tmp_path / "changed.xlsx", memory=16 << 20) as book, pytest.raises(Damaged):
    book.call("rows", "Sheet")


@pytest.mark.parametrize(
  "said",
  [
    b"",
    b"nonsense\n",
    b"[1, 2]\n",
    b'{"no": "value"}\n',
    b'{"dtype": "<f4", "shape": [3]}\n1234',
    b'{"dtype": "<f4", "shape": [1152921504606846976]}\n',
    b'{"dtype": "O", "shape": [3]}\n1234',
    b'{"dtype": "what", "shape": [3]}\n1234',
    b'{"dtype": "<f4", "shape": -1}\n',
    b"[" * 100_000 + b"\n",
  ],
)
def test_a_process_may_say_anything(said, tmp_path, monkeypatch):
  """Its memory may be damaged as well as its file."""
  (tmp_path / "said").write_bytes(b'{"value": null}\n{"value": null}\n' + said)
  started = subprocess.Popen
  copy = "import shutil, sys; shutil.copyfileobj(open(sys.argv[1], 'rb'), sys.stdout.buffer)"
  monkeypatch.setattr(
    reading_module.subprocess,
    "Popen",
    lambda command, **options: started([sys.executable, "-c", copy, str(tmp_path / "said")], **options),
  )
  with reading("hdf5", tmp_path / "said") as file, pytest.raises(Damaged, match="its reader "):
    file.call("read", "x")


def test_a_reader_that_cannot_start_is_no_damage(hdf5):
  message = r"no reader could be started: .*jaxdistort\.foreign\.nothing"
  with pytest.raises(RuntimeError, match=message), reading("nothing", hdf5):
    pass


def test_a_frozen_program_reads_by_itself(hdf5, monkeypatch):
  monkeypatch.setattr(sys, "frozen", True, raising=False)
  monkeypatch.setattr(reading_module.subprocess, "Popen", None)
  with reading("hdf5", hdf5) as file:
    np.testing.assert_array_equal(file.call("read", "big"), np.arange(5))
    with pytest.raises(Damaged, match="doesn't exist"):
      file.call("read", "nothing")
  with pytest.raises(Damaged, match="No such file"), reading("hdf5", hdf5.with_name("nowhere")):
    pass


_USE = """
from pathlib import Path
from jaxdistort.foreign.reading import reading
with reading("hdf5", Path({path!r})) as file:
  print(file.call("read", "big").tolist())
"""


@pytest.mark.parametrize(
  "way", ["text", *(pytest.param(way, marks=pytest.mark.slow) for way in ("script without a guard", "standard input"))]
)
def test_it_reads_from_every_kind_of_main(way, hdf5, tmp_path):
  """And from a folder whose files bear the names of modules that it needs."""
  code = _USE.format(path=str(hdf5))
  for name in ("json", "numpy", "h5py", "keras"):
    (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong module')")
  root = str(Path(reading_module.__file__).parents[2])
  (tmp_path / "scripts").mkdir()
  script = tmp_path / "scripts" / "main.py"
  script.write_text(code)
  command, given = {
    "text": (["-P", "-c", code], None),
    "script without a guard": ([str(script)], None),
    "standard input": (["-P", "-"], code),
  }[way]
  environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PYTHONPATH": root}
  done = subprocess.run(
    [sys.executable, *command], input=given, cwd=tmp_path, env=environment, text=True, capture_output=True, check=False
  )
  assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[0.0, 1.0, 2.0, 3.0, 4.0]", "")


def test_it_imports_nothing_that_takes_long():
  """Least of all JAX, once a file."""
  code = """
    import json, sys
    import jaxdistort.foreign.process, jaxdistort.foreign.hdf5
    print(json.dumps(sorted(sys.modules)))
  """
  root = str(Path(reading_module.__file__).parents[2])
  done = subprocess.run(
    [sys.executable, "-c", textwrap.dedent(code)],
    env=os.environ | {"PYTHONPATH": root},
    capture_output=True,
    check=True,
  )
  assert not {"jax", "flax", "scipy", "jaxdistort.models"} & set(json.loads(done.stdout))


def test_matlab(tmp_path):
  path = tmp_path / "file.mat"
  names = np.array([["bikes.bmp", "", "house.bmp"]], object)
  scipy.io.savemat(path, {"dmos": np.arange(3)[None], "flags": np.array([True, False]), "names": names, "word": "word"})
  with reading("matlab", path) as file:
    np.testing.assert_array_equal(file.call("numbers", "dmos"), [0, 1, 2])
    np.testing.assert_array_equal(file.call("numbers", "flags"), [1, 0])
    assert file.call("numbers", "nothing").shape == (0,)
    assert file.call("texts", "names") == ["bikes.bmp", "", "house.bmp"]
    assert file.call("texts", "nothing") is None
    for name in ("names", "word"):
      with pytest.raises(Damaged, match=f"{name} holds no numbers"):
        file.call("numbers", name)


def test_workbook(tmp_path):
  book = openpyxl.Workbook()
  book.active.append(["first", 1, 0.25, None, True])
  book.create_sheet("second").append(["second"])
  book.save(tmp_path / "book.xlsx")
  with reading("workbook", tmp_path / "book.xlsx") as file:
    assert file.call("rows", "second") == [["second"]]
    assert file.call("rows", "nothing") == [["first", 1, 0.25, None, True]]
  assert not {path.name for path in tmp_path.iterdir()} - {"book.xlsx"}


def test_rows_beyond_what_a_workbook_says_of_its_extent_are_read(tmp_path):
  _with_rows(tmp_path, b'<row r="2"><c r="A2"><v>2</v></c></row>')
  with reading("workbook", tmp_path / "changed.xlsx") as file:
    assert file.call("rows", "Sheet") == [["x"], [2]]
