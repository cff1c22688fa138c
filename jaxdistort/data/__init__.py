"""Clean pictures: where they come from, how they are split, how they reach the device."""

from jaxdistort.data.broken import BrokenPictures
from jaxdistort.data.databases import DATABASES, Database, is_database, open_database
from jaxdistort.data.loading import CleanBatch, default_workers, evaluation_batches, training_batches
from jaxdistort.data.order import Order, mix32, permute
from jaxdistort.data.picture_set import PictureSet, open_pictures
from jaxdistort.data.pictures import BrokenPicture, random_view, read_picture, standardise
from jaxdistort.data.resident import ResidentPictures, bytes_per_device, load_resident, make_take, placement_of
from jaxdistort.data.sources import Source, WeightedSource, parse_sources
from jaxdistort.data.splits import SPLITS, split_of
from jaxdistort.data.views import VIEWS

__all__ = [
  "DATABASES",
  "SPLITS",
  "VIEWS",
  "BrokenPicture",
  "BrokenPictures",
  "CleanBatch",
  "Database",
  "Order",
  "PictureSet",
  "ResidentPictures",
  "Source",
  "WeightedSource",
  "bytes_per_device",
  "default_workers",
  "evaluation_batches",
  "is_database",
  "load_resident",
  "make_take",
  "mix32",
  "open_database",
  "open_pictures",
  "parse_sources",
  "permute",
  "placement_of",
  "random_view",
  "read_picture",
  "split_of",
  "standardise",
  "training_batches",
]
