"""Which of several prepared versions and configs of a set is opened."""

from types import SimpleNamespace

import pytest

from jaxdistort.data import parse_sources
from jaxdistort.errors import InputError


@pytest.fixture
def folder(tmp_path, monkeypatch):
  """A data folder in which a set has no more than its dataset_info.json, and a library that opens it."""
  tfds = pytest.importorskip("tensorflow_datasets")
  info = SimpleNamespace(splits={"train": SimpleNamespace(num_examples=1)}, features={"image": None})
  builder = SimpleNamespace(info=info, as_data_source=lambda **options: [{}])
  monkeypatch.setattr(tfds, "builder_from_directory", lambda place: builder)
  monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
  return tmp_path


def _prepare(folder, *places):
  for place in places:
    (folder / place).mkdir(parents=True)
    (folder / place / "dataset_info.json").touch()


def _opened(spec):
  ((source, _),) = parse_sources(f"tfds:{spec}")
  return repr(source)


def test_the_newest_version_goes_by_its_numbers(folder):
  _prepare(folder, "photos/1.9.0", "photos/1.10.0", "photos/0.99.99", "photos/1.10.0/1.99.0")
  _prepare(folder, "photos/incomplete.X_2.0.0", "photos/2.0.0-rc1", "photos/old", "photos/9")
  (folder / "photos" / "3.0.0").mkdir()  # holds nothing
  at = f"tfds:{folder}/photos"
  assert _opened("photos") == f"{at}/1.10.0:train"
  assert _opened("photos:train") == f"{at}/1.10.0:train"
  assert _opened("photos:1.9.0") == f"{at}/1.9.0:train"
  assert _opened("photos:1.9.0:train") == f"{at}/1.9.0:train"
  assert _opened("photos:*.9.*") == f"{at}/1.9.0:train"
  assert _opened("photos:0.*.*:train") == f"{at}/0.99.99:train"
  assert _opened("photos:2.0.0-rc1:train") == f"{at}/2.0.0-rc1:train"  # by its whole name alone
  for version in ("1.9", "1.*", "3.0.0", "2.*.*", "1.9.0.0"):
    with pytest.raises(InputError, match=rf"no version {version.replace('*', '.')} in .*; name one of 0.99.99, 1.10.0"):
      _opened(f"photos:{version}")
  with pytest.raises(InputError, match=r"no split '1'; it has train"):
    _opened("photos:1")


def test_of_several_configs_one_must_be_named(folder):
  _prepare(folder, "photos/small/1.9.0", "photos/small/1.10.0", "photos/v2.large/1.0.0", "photos/incomplete.X_1.0.0")
  for spec in ("photos", "photos:train", "photos:1.0.0"):
    with pytest.raises(InputError, match=r"holds several configs; name one of photos/small, photos/v2\.large$"):
      _opened(spec)
  assert _opened("photos/small") == f"tfds:{folder}/photos/small/1.10.0:train"
  assert _opened("photos/small:1.9.0:train") == f"tfds:{folder}/photos/small/1.9.0:train"
  assert _opened("photos/v2.large") == f"tfds:{folder}/photos/v2.large/1.0.0:train"
  with pytest.raises(InputError, match=r"photos/medium holds no prepared set; .*'photos/medium'"):
    _opened("photos/medium")


def test_a_config_alone_need_not_be_named(folder):
  _prepare(folder, "photos/small/1.9.0", "photos/small/1.10.0")
  assert _opened("photos") == f"tfds:{folder}/photos/small/1.10.0:train"
  assert _opened("photos:1.9.0") == f"tfds:{folder}/photos/small/1.9.0:train"


def test_only_odd_versions_must_be_named(folder):
  _prepare(folder, "photos/1.0.0-rc1", "photos/2.0")
  with pytest.raises(InputError, match=r"no version MAJOR.MINOR.PATCH in .*; name one of 1\.0\.0-rc1, 2\.0$"):
    _opened("photos")
  assert _opened("photos:2.0") == f"tfds:{folder}/photos/2.0:train"


@pytest.mark.parametrize("spec", ["../photos", "/etc", "photos/a/b", "photos:train:test", "photos::train", "a b", "1"])
def test_other_forms_are_refused(folder, spec):
  _prepare(folder, "photos/1.0.0")
  with pytest.raises(InputError, match=r"expected NAME\[/CONFIG\]\[:VERSION\]\[:SPLIT\]$"):
    _opened(spec)


def test_a_set_within_another_data_folder_is_not_taken(folder):
  _prepare(folder, "photos/tensorflow_datasets/photos/1.0.0")
  with pytest.raises(InputError, match="photos holds no prepared set"):
    _opened("photos")


def test_a_folder_that_cannot_be_listed_is_named(folder, monkeypatch):
  _prepare(folder, "photos/1.0.0")

  def iterdir(path):
    raise PermissionError(13, "Permission denied", str(path))

  monkeypatch.setattr(type(folder), "iterdir", iterdir)
  with pytest.raises(InputError, match=r"photos cannot be listed: Permission denied$"):
    _opened("photos")
