"""Sets of TensorFlow Datasets, prepared and read without TensorFlow."""

import sys

import numpy as np
import pytest
from PIL import Image

from jaxdistort.data import open_pictures, parse_sources
from jaxdistort.errors import InputError


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
  """A data folder with the set `small_photos` of 12 plain pictures, as array_record."""
  tfds = pytest.importorskip("tensorflow_datasets")
  place = tmp_path_factory.mktemp("tfds")
  files = [place / f"{i}.png" for i in range(12)]
  for i, file in enumerate(files):
    Image.fromarray(np.full((40, 50, 3), 20 * i, np.uint8)).save(file)

  class SmallPhotos(tfds.core.GeneratorBasedBuilder):
    VERSION = tfds.core.Version("1.0.0")
    pkg_dir_path = place

    def _info(self):
      return self.dataset_info_from_configs(features=tfds.features.FeaturesDict({"image": tfds.features.Image()}))

    def _split_generators(self, dl_manager):
      return {"train": self._generate_examples()}

    def _generate_examples(self):
      for file in files:
        yield file.stem, {"image": file}

  SmallPhotos(data_dir=place / "data", file_format="array_record").download_and_prepare()
  assert "tensorflow" not in sys.modules
  return place / "data"


@pytest.mark.slow
def test_records_become_pictures(prepared, monkeypatch):
  monkeypatch.setenv("TFDS_DATA_DIR", str(prepared))
  (source,) = (w.source for w in parse_sources("tfds:small_photos"))
  levels = sorted(int(source.load(i, 32)[0, 0, 0]) for i in range(len(source)))
  assert levels == [20 * i for i in range(12)]
  assert source.load(0, 32).shape == (32, 32, 3)
  sizes = [len(open_pictures("tfds:small_photos", split)) for split in ("train", "validation", "test")]
  assert sum(sizes) == 12
  assert "tensorflow" not in sys.modules


@pytest.mark.slow
def test_what_is_not_prepared_is_named(prepared, monkeypatch):
  monkeypatch.setenv("TFDS_DATA_DIR", str(prepared))
  with pytest.raises(InputError, match="holds no prepared set; prepare it with"):
    parse_sources("tfds:imagenet2012")
  with pytest.raises(InputError, match="no split 'tset'; it has train"):
    parse_sources("tfds:small_photos:tset")
