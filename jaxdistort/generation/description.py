"""What a distorted data set is made of: dataset.json, by which it is gone on with and any picture made again."""

import importlib.metadata
import json
from pathlib import Path
from typing import Any

from jaxdistort.data import PictureSet, make_output_for
from jaxdistort.errors import InputError, reason_of
from jaxdistort.files import is_free, parse_json, write_whole
from jaxdistort.protocols import Protocol

DESCRIPTION = "dataset.json"
_MAY_DIFFER = ("data", "versions")  # of a set that is gone on with

_AGAIN = (
  "Picture t of the manifest, with the values of this file: "
  "protocol = jaxdistort.protocols.PROTOCOLS[protocol.name](jpeg_quality or None); "
  "clean = jaxdistort.data.open_pictures(data, split).load(t // period, protocol.clean_side(image_size)); "
  "pictures = numpy.repeat(clean[None], period, axis=0); "
  "jax.jit(protocol.distort)(jax.random.key(seed), pictures, first=t - t % period).images[t % period]. "
  "Another kind of device, or other versions, may round some levels another way."
)


def describe(
  pictures: PictureSet, protocol: Protocol, *, form: str, jpeg_quality: int, image_size: int, seed: int, split: str
) -> dict[str, Any]:
  """The contents of dataset.json; `protocol` is the one with the JPEG step."""
  packages = ("jaxdistort", "jax", "jaxlib", "numpy", "pillow")
  return {
    "format": form,
    "data": pictures.spec,
    "split": split,
    "originals": len(pictures),
    "fingerprint": pictures.fingerprint(),
    "protocol": protocol.describe(),
    "period": protocol.period,
    "jpeg_quality": jpeg_quality,
    "image_size": image_size,
    "seed": seed,
    "versions": {package: importlib.metadata.version(package) for package in packages},
    "how_to_make_a_picture_again": _AGAIN,
  }


def begin(output: Path, description: dict[str, Any], pictures: PictureSet) -> None:
  """Writes dataset.json where there is none; the folder is there.

  Raises:
    InputError: the folder holds another set, or something else.
  """
  path = output / DESCRIPTION
  try:
    before = parse_json(path.read_bytes())
    now = json.loads(json.dumps(description))
    differs = [field for field in now if field not in _MAY_DIFFER and before[field] != now[field]]
  except FileNotFoundError:
    if not is_free(output):
      raise InputError(f"output {output}: is no empty folder, and no distorted set; give another") from None
    make_output_for([source for source, _ in pictures.sources], output)
    write_whole(path, json.dumps(description, indent=2) + "\n")
    return
  except (OSError, ValueError, TypeError, KeyError) as error:
    raise InputError(f"{path}: cannot be read ({reason_of(error)}); give another output") from error
  if "fingerprint" in differs and differs[0] in ("originals", "fingerprint"):
    raise InputError(f"output {output}: holds a set of other pictures, or they have changed since; give another")
  if differs:
    there, asked = (_in_words(differs[0], values[differs[0]]) for values in (before, now))
    asked = "as it was defined then" if there == asked else f"now {asked}"
    raise InputError(f"output {output}: holds a set with {differs[0]}={there} ({asked}); give another")


def _in_words(field: str, value: Any) -> str:
  return value["name"] if field == "protocol" else repr(value)
