"""Strict JAX on eight fake CPU devices, and pictures to test with."""

import importlib
import os
import shutil
import signal
from pathlib import Path

# What tests compile again and again, in pytest's workers and in the processes of the scripts, is compiled once, and
# kept for the next time.
_COMPILED = Path(__file__).parents[1] / ".cache" / "compiled"
_COMPILED.mkdir(parents=True, exist_ok=True)
os.environ["JAX_COMPILATION_CACHE_DIR"] = str(_COMPILED)
os.environ["JAX_COMPILATION_CACHE_MAX_SIZE"] = str(2**31)
os.environ["XDG_CACHE_HOME"] = str(_COMPILED.parent)
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.2"

from jaxdistort.runtime.programs import keep_programs_whole

keep_programs_whole()

# A script that starts the tests in the background has them ignore Ctrl-C, and so would all processes that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
  signal.signal(signal.SIGINT, signal.default_int_handler)

import jax

jax.config.update("jax_num_cpu_devices", 8)
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

import numpy as np
import pytest
from PIL import Image

from jaxdistort.data import SamplePhotographs


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
  """Those that are optimised first, so that hardly a process changes its compiler in between."""
  items.sort(key=lambda item: not _is_optimised(item))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
  """Programs that run once take less than half of the time if the compiler optimises little."""
  hasty = not _is_optimised(item)
  os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = str(hasty)  # for processes that the test starts
  if jax.config.read("jax_disable_most_optimizations") != hasty:
    jax.config.update("jax_disable_most_optimizations", hasty)
    jax.clear_caches()


def _is_optimised(item: pytest.Item) -> bool:
  return item.get_closest_marker("optimised") is not None


@pytest.fixture(scope="session")
def photographs() -> np.ndarray:
  """Photographs uint8 [8, 64, 64, 3], all different."""
  samples = SamplePhotographs()
  return np.stack([samples.load(i * samples.VIEWS + 1, 64) for i in (0, 3, 4, 8, 10, 12, 14, 16)])


@pytest.fixture(scope="session")
def _photographs_on_disk(tmp_path_factory) -> Path:
  samples = SamplePhotographs()
  folder = tmp_path_factory.mktemp("photographs") / "photos"
  (folder / "more").mkdir(parents=True)
  for i in range(38):
    place = folder / "more" if i == 37 else folder
    Image.fromarray(samples.load(i * 23, 48)).save(place / f"photo_{i:02d}.png")
  content = (folder / "photo_00.png").read_bytes()
  (folder / "truncated.png").write_bytes(content[: len(content) // 2])
  (folder / "empty.jpg").write_bytes(b"")
  (folder / "notes.txt").write_text("no picture")
  return folder


@pytest.fixture
def folder_of_photographs(_photographs_on_disk, tmp_path) -> str:
  """A folder with 40 small photographs, two of them broken, one in a subfolder, and a file that is no picture."""
  return str(shutil.copytree(_photographs_on_disk, tmp_path / "photos"))


@pytest.fixture(scope="session")
def untrained(tmp_path_factory) -> Path:
  """Folders of runs that have just begun, by protocol: `variable` and `six`. Not to be changed.

  Softmax networks, which compile at once, 32 px, no JPEG step.
  """
  from jaxdistort.config import ModelConfig, ProtocolConfig
  from tests.training.tiny import get_config, save_untrained

  root = tmp_path_factory.mktemp("untrained")
  for protocol in ("variable", "six"):
    config = get_config()
    config.protocol, config.model = ProtocolConfig(protocol, 0), ModelConfig("softmax")
    save_untrained(config, root / protocol)
  return root


@pytest.fixture
def undrawn(monkeypatch):
  """Charts are empty files, of which nothing is laid out: to draw them takes longer than a short run."""
  from matplotlib.figure import Figure

  from jaxdistort.reporting import charts, drawing, grids

  train = importlib.import_module("jaxdistort.training.train")  # the package's `train` is the function

  def chart(*figures_and_path):
    *_, path = figures_and_path
    for suffix in drawing.FORMATS:
      path.with_name(f"{path.name}.{suffix}").write_bytes(b"")

  for name in ("confusion_matrix", "kinds", "accuracy_by_ssim", "accuracy_by_level", "accuracy_by_score"):
    monkeypatch.setattr(charts, f"draw_{name}", chart)
  monkeypatch.setattr(Figure, "savefig", lambda figure, path, **options: Path(path).write_bytes(b""))
  for module in (grids, train):
    monkeypatch.setattr(module, "draw_grid", lambda images, titles, path, *colours: path.write_bytes(b""))


@pytest.fixture
def short_resnet(monkeypatch):
  """ResNet50 with the first block of each stage alone: all that it is made of, in a quarter of the time."""
  from jaxdistort.models import resnet

  monkeypatch.setattr(resnet, "BLOCKS", tuple(block for block in resnet.BLOCKS if block[0].endswith("a")))
