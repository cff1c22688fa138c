"""Distorts pictures with imagecorruptions, for `benchmarks.peers.corruptions`; runs in an environment of its own.

Arguments: file of raw RGB bytes, height, width, number of the first picture, and of pictures.
The first line of the output names the corruptions, as JSON. Then each line of the input, "name severity count", asks
for one corruption of the first `count` pictures, and gets a line when they are done.
"""

import json
import sys
from typing import Any

import numpy as np


def load_library() -> Any:
  """imagecorruptions, which calls scikit-image by an argument that has another name there by now."""
  import skimage.filters

  filters: Any = skimage.filters
  gaussian = filters.gaussian

  def blur(*args: Any, multichannel: bool = False, **options: Any) -> np.ndarray:
    return gaussian(*args, **options, **({"channel_axis": -1} if multichannel else {}))

  filters.gaussian = blur
  import imagecorruptions

  if "cv2" in sys.modules:
    sys.modules["cv2"].setNumThreads(1)  # the other processors have processes of their own
  return imagecorruptions


def main() -> None:
  file, *numbers = sys.argv[1:]
  height, width, first, count = map(int, numbers)
  size = height * width * 3
  images = np.fromfile(file, np.uint8, count * size, offset=first * size).reshape(count, height, width, 3)
  library = load_library()
  answers, sys.stdout = sys.stdout, sys.stderr  # some corruptions print
  print(json.dumps(library.get_corruption_names("all")), file=answers, flush=True)
  for line in sys.stdin:
    name, severity, wanted = line.split()
    for image in images[: int(wanted)]:
      library.corrupt(image, severity=int(severity), corruption_name=name)
    print("done", file=answers, flush=True)


if __name__ == "__main__":
  main()
