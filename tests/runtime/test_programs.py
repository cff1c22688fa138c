"""Programs that are kept: whole, healed when damaged, never an obstacle."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from jax.experimental.compilation_cache import compilation_cache as public

from jaxdistort.runtime import compilation
from jaxdistort.runtime.programs import Programs, keep_programs_whole


@pytest.fixture
def kept(tmp_path):
  """A folder of programs that JAX keeps in this test, however small they are."""
  from jax._src import compilation_cache

  names = {
    "jax_compilation_cache_dir": str(tmp_path / "programs"),
    "jax_persistent_cache_min_compile_time_secs": 0.0,
    "jax_persistent_cache_min_entry_size_bytes": -1,
  }
  before = {name: getattr(jax.config, name) for name in names}
  opens = compilation_cache.get_file_cache
  keep_programs_whole()
  for name, value in names.items():
    jax.config.update(name, value)
  public.reset_cache()
  yield tmp_path / "programs"
  for name, value in before.items():
    jax.config.update(name, value)
  compilation_cache.get_file_cache = opens
  public.reset_cache()


def _answer():
  """What a program gives that is looked for among those that are kept."""
  jax.clear_caches()
  return float(jax.jit(lambda x: (x @ x).sum() * 3)(jnp.ones((16, 16))))


_DAMAGES = (
  lambda content: b"",
  lambda content: content[: len(content) // 2],
  lambda content: bytes(len(content)),
  lambda content: content[:99] + bytes([content[99] ^ 1]) + content[100:],
  lambda content: content[:-1] + bytes([content[-1] ^ 128]),
  lambda content: content + b"\0",
  lambda content: b"of another program",
)


@pytest.mark.long
@pytest.mark.parametrize("damage", _DAMAGES)
def test_a_damaged_program_is_compiled_anew_and_kept_again(kept, damage):
  assert _answer() == 16**3 * 3
  whole = {file: file.read_bytes() for file in kept.iterdir()}
  assert whole
  for file, content in whole.items():
    file.write_bytes(damage(content))
  assert _answer() == 16**3 * 3  # no warning, or the test fails
  store = Programs(kept, -1)
  for file in whole:
    assert store.get(file.name.removesuffix("-program"))  # whole


@pytest.mark.parametrize("obstacle", ["file", "below a file", "nowhere", "full"])
def test_where_nothing_can_be_kept_all_goes_on(kept, obstacle, tmp_path, monkeypatch):
  if obstacle == "file":
    kept.touch()
  elif obstacle == "below a file":
    (tmp_path / "file").touch()
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "file" / "programs"))
  elif obstacle == "nowhere":
    jax.config.update("jax_compilation_cache_dir", "/proc/nowhere")
  else:

    def write(self, content):
      self.touch()
      raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write)
  assert _answer() == _answer() == 16**3 * 3
  assert not kept.is_dir() or not list(kept.iterdir())


def test_the_programs_that_were_not_used_for_longest_go(tmp_path):
  store, value = Programs(tmp_path, 4 * 1032), bytes(1000)
  for age, key in enumerate("abcd"):
    store.put(key, value)
    os.utime(tmp_path / f"{key}-program", (100 + age, 100 + age))
  assert store.get("a") == value  # used now
  store.put("e", value)
  assert [key for key in "abcde" if store.get(key)] == ["a", "c", "d", "e"]
  store.put("f", bytes(5000))
  assert store.get("f") is None
  store.put("a", b"another")
  assert store.get("a") == b"another"


def test_what_a_killed_writer_left_is_no_program_and_goes_in_its_turn(tmp_path):
  (tmp_path / "a.123-program").write_bytes(bytes(1500))
  os.utime(tmp_path / "a.123-program", (1, 1))
  store = Programs(tmp_path, 2100)
  assert store.get("a") is None
  store.put("a", bytes(1000))
  assert store.get("a") == bytes(1000)
  assert [file.name for file in tmp_path.iterdir()] == ["a-program"]


@pytest.mark.long
def test_jax_is_told_before_it_is_imported():
  """And not imported for it."""
  code = """
import sys
from jaxdistort.runtime.compilation import keep_compiled
keep_compiled()
assert "jax" not in sys.modules
from jax._src import compilation_cache
cache, path = compilation_cache.get_file_cache("x")
print(type(cache).__name__, path, len(sys.meta_path))
"""
  result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=_ROOT)
  assert result.stdout.split()[:2] == ["Programs", "x"], result.stderr


_ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("home", [None, "relative", "~nobody-of-this-name/x"])
def test_a_user_without_a_home_keeps_nothing(monkeypatch, home):
  monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR")
  if home:
    monkeypatch.setenv("XDG_CACHE_HOME", home)
  else:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as it does where nobody knows the user
  compilation.keep_compiled()
  assert "JAX_COMPILATION_CACHE_DIR" not in os.environ
