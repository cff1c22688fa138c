"""Clean pictures: where they come from, how they are split, how they reach the device."""

from jaxdistort.data.batches import CleanBatch, Loaded, LoadPictures, evaluation_batches, training_batches
from jaxdistort.data.broken import BrokenPictures
from jaxdistort.data.databases import (
  DATABASES,
  REFERENCE,
  Database,
  JudgedPicture,
  describe_databases,
  is_database,
  open_database,
  register_database,
)
from jaxdistort.data.dead_leaves import DeadLeaves
from jaxdistort.data.decoding import PictureWarning, collected_remarks
from jaxdistort.data.folder import Folder
from jaxdistort.data.identity import originals_of_files
from jaxdistort.data.judging import ViewedPicture, viewed_pictures
from jaxdistort.data.labelled import LABELLED_HELP, LabelledPicture, LabelledSet, is_labelled, open_labelled
from jaxdistort.data.loading import default_workers, load_elements
from jaxdistort.data.order import Order
from jaxdistort.data.outputs import make_output_for
from jaxdistort.data.picture_set import PictureSet, open_pictures, open_splits
from jaxdistort.data.pictures import (
  BrokenPicture,
  random_view,
  read_noting,
  read_or,
  read_picture,
  standardise,
  to_rgb,
  training_side,
)
from jaxdistort.data.prepared import Prepared
from jaxdistort.data.resident import (
  ResidentPictures,
  bytes_per_device,
  free_memory,
  load_resident,
  make_take,
  placement_of,
)
from jaxdistort.data.samples import SamplePhotographs
from jaxdistort.data.seen import Seen
from jaxdistort.data.source import SOURCES, Source, SourceKind, describe_sources, register_source
from jaxdistort.data.sources import WeightedSource, parse_sources
from jaxdistort.data.splits import SPLITS, split_of
from jaxdistort.data.views import VIEWS, Tiles

__all__ = [
  "DATABASES",
  "LABELLED_HELP",
  "REFERENCE",
  "SOURCES",
  "SPLITS",
  "VIEWS",
  "BrokenPicture",
  "BrokenPictures",
  "CleanBatch",
  "Database",
  "DeadLeaves",
  "Folder",
  "JudgedPicture",
  "LabelledPicture",
  "LabelledSet",
  "LoadPictures",
  "Loaded",
  "Order",
  "PictureSet",
  "PictureWarning",
  "Prepared",
  "ResidentPictures",
  "SamplePhotographs",
  "Seen",
  "Source",
  "SourceKind",
  "Tiles",
  "ViewedPicture",
  "WeightedSource",
  "bytes_per_device",
  "collected_remarks",
  "default_workers",
  "describe_databases",
  "describe_sources",
  "evaluation_batches",
  "free_memory",
  "is_database",
  "is_labelled",
  "load_elements",
  "load_resident",
  "make_output_for",
  "make_take",
  "open_database",
  "open_labelled",
  "open_pictures",
  "open_splits",
  "originals_of_files",
  "parse_sources",
  "placement_of",
  "random_view",
  "read_noting",
  "read_or",
  "read_picture",
  "register_database",
  "register_source",
  "split_of",
  "standardise",
  "to_rgb",
  "training_batches",
  "training_side",
  "viewed_pictures",
]
