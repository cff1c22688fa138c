"""The pages in a real browser, without a head. Where there is none, that is said aloud and these tests are skipped."""

import json
import shutil
import sys
from collections.abc import Callable, Generator
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import jax
import numpy as np
import pytest
from PIL import Image
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

import jaxdistort
from jaxdistort.data import SamplePhotographs
from jaxdistort.serving import Settings
from tests.serving.browser.page import Page

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
  *("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "no-first-run", "window-size=1280,900"),
  *("disable-background-networking", "disable-component-update", "disable-sync", "disable-default-apps"),
)


@pytest.fixture(scope="session")
def _browser(pytestconfig) -> tuple[str, str]:
  """Paths of a browser and of its driver."""
  browser, driver = next(filter(None, map(shutil.which, _NAMES)), None), shutil.which("chromedriver")
  if browser is None or driver is None:
    _skip_aloud(pytestconfig, "no chromium with a chromedriver is installed")
  return browser, driver


def _skip_aloud(config: pytest.Config, why: str) -> NoReturn:
  line = f"THE PAGES ARE NOT TESTED: {why}"
  with config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
    sys.stderr.write(f"\n*** {line} ***\n")
  pytest.skip(line)


@pytest.fixture(scope="session")
def axe(pytestconfig) -> str:
  """The script of axe-core."""
  if find_spec("axe_core_python") is None:
    _skip_aloud(pytestconfig, "axe-core-python is not installed")
  return resources.files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def address(serve) -> str:
  return serve(Settings(hosts=("127.0.0.1",)))


@pytest.fixture
def open_page(_browser, tmp_path) -> Generator[Callable[..., Page]]:
  """Opens a page of a server in a browser of its own. At the end, nothing must have been asked of anyone else."""
  browser, driver = _browser
  pages: list[Page] = []

  def start(address: str, path: str = "/") -> Page:
    options = ChromeOptions()
    options.binary_location = browser
    for flag in (*_FLAGS, f"user-data-dir={tmp_path / 'profile'}"):
      options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    page = Page(Chrome(options=options, service=ChromeService(driver)), address, tmp_path / "downloads")
    pages.append(page)
    page.driver.get(address + path)
    return page

  yield start
  for page in pages:
    complaints, foreign = _complaints(page), _foreign(page)
    page.driver.quit()
    assert not complaints
    assert not foreign


def _complaints(page: Page) -> list[str]:
  lines = [entry["message"] for entry in page.driver.get_log("browser")]
  return [line for line in lines if not any(status in line for status in page.expected)]


def _foreign(page: Page) -> list[str]:
  """Addresses beyond the server of which the page asked for something."""
  messages = [json.loads(entry["message"])["message"] for entry in page.driver.get_log("performance")]
  asked = [own["params"]["request"]["url"] for own in messages if own["method"] == "Network.requestWillBeSent"]
  assert asked
  return [url for url in asked if url.startswith(("http", "ws", "ftp")) and not url.startswith(f"{page.address}/")]


@pytest.fixture
def page(open_page, address) -> Page:
  """The page, once it knows the kinds."""
  page = open_page(address)
  page.wait("body[data-state=ready]")
  return page


@pytest.fixture(scope="session")
def photograph() -> np.ndarray:
  """uint8 [256, 256, 3]."""
  return SamplePhotographs().load(3 * SamplePhotographs.VIEWS + 1, 256)


@pytest.fixture
def sharp(photograph, tmp_path) -> Path:
  return _saved(photograph, tmp_path / "sharp.png")


@pytest.fixture
def noisy(photograph, tmp_path) -> Path:
  spoiled = jaxdistort.distort(photograph, "gaussian_noise", severity=0.8, key=jax.random.key(0))
  return _saved(np.asarray(spoiled), tmp_path / "noisy.png")


def _saved(image: np.ndarray, path: Path) -> Path:
  Image.fromarray(image).save(path)
  return path
