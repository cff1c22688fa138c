"""Miniature databases in their owners' layouts: 48 x 40 px, a few references, every type."""

import csv
from pathlib import Path

import numpy as np
import openpyxl
import scipy.io
from PIL import Image

LIVE_LEVELS = {
  "jp2k": (0.03, 1.2),
  "jpeg": (0.2, 1.5),
  "wn": (0.03125, 0.25),
  "gblur": (0.562467, 2.510388),
  "fastfading": (15.5, 26.1),
}


def _save(path: Path, seed: int) -> None:
  path.parent.mkdir(parents=True, exist_ok=True)
  Image.fromarray(np.random.default_rng(seed).integers(0, 256, (40, 48, 3), np.uint8)).save(path)


def build_live(root: Path) -> Path:
  """Two references; in each folder two levels of each, and a copy of each, as in the real info files."""
  names = ("bikes.bmp", "coinsinfountain.bmp")
  for seed, name in enumerate(names):
    _save(root / "refimgs" / name, seed)
  copies = []
  for kind, levels in LIVE_LEVELS.items():
    lines, number = [], 0
    for name in names:
      for level in (*levels, 0.0):
        number += 1
        _save(root / kind / f"img{number}.bmp", number)
        lines.append(f"{name} img{number}.bmp {level:.6f} \n")
        copies.append(level == 0)
    (root / kind / "info.txt").write_text("".join(reversed(lines)))  # the real ones are in no order
  dmos = np.where(copies, 0, np.arange(len(copies)) + 0.5)
  scipy.io.savemat(root / "dmos.mat", {"dmos": dmos[None], "orgs": np.array(copies, np.uint8)[None]})
  return root


LIVE_COUNTS = {"jp2k": 227, "jpeg": 233, "wn": 174, "gblur": 174, "fastfading": 174}  # in the order of dmos.mat


def build_whole_live(root: Path) -> Path:
  """As many pictures as the real one, all alike, and a score for each: its place among all 982.

  Twenty-nine references, each with a copy somewhere in each folder.
  """
  names = [f"ref{i}.bmp" for i in range(29)]
  _save(root / "refimgs" / names[0], 0)
  content = (root / "refimgs" / names[0]).read_bytes()
  for name in names:
    (root / "refimgs" / name).write_bytes(content)
  rng, originals, copies = np.random.default_rng(0), [], []
  for kind, count in LIVE_COUNTS.items():
    (root / kind).mkdir()
    own = rng.permutation([i % 29 for i in range(count)])
    copied = {int(rng.choice(np.flatnonzero(own == i))) for i in range(29)}
    for number in range(1, count + 1):
      (root / kind / f"img{number}.bmp").write_bytes(content)
    lines = [f"{names[own[i]]} img{i + 1}.bmp {0 if i in copied else 1 + i / 100:.6f} " for i in range(count)]
    (root / kind / "info.txt").write_text("\n".join(rng.permutation(lines)) + "\n")
    originals += [names[i] for i in own]
    copies += [i in copied for i in range(count)]
  row = {"dmos": np.arange(982.0)[None], "orgs": np.array(copies, np.uint8)[None]}
  scipy.io.savemat(root / "dmos.mat", row)
  scipy.io.savemat(root / "refnames_all.mat", {"refnames_all": np.array([originals], object)})
  return root


def build_tid(root: Path, types: int, levels: int) -> Path:
  """Two references; every type at every level; letter cases mixed as in the real one."""
  lines = []
  for reference in (1, 2):
    _save(root / "reference_images" / f"{'Ii'[reference - 1]}{reference:02d}.BMP", reference)
    for kind in range(1, types + 1):
      for level in range(1, levels + 1):
        _save(root / "distorted_images" / f"{'iI'[kind % 2]}{reference:02d}_{kind:02d}_{level}.bmp", kind)
        lines.append(f"{7 - level + kind / 100:.5f} I{reference:02d}_{kind:02d}_{level}.bmp\n")
  (root / "mos_with_names.txt").write_text("".join(lines))
  return root


def build_csiq(root: Path) -> Path:
  """One reference whose name is a number and one whose is not; contrast has four levels."""
  book = openpyxl.Workbook()
  sheet = book.active
  sheet.title = "all_by_image"
  for row in (["CSIQ"], [], [], [None, None, None, "image", "dst_idx", "dst_type", "dst_lev", "dmos_std", "dmos"]):
    sheet.append(row)
  kinds = {
    "noise": "awgn/{}.AWGN.{}.png",
    "blur": "blur/{}.BLUR.{}.png",
    "contrast": "contrast/{}.contrast.{}.png",
    "fnoise": "fnoise/{}.fnoise.{}.png",
    "jpeg": "jpeg/{}.JPEG.{}.png",
    "jpeg 2000": "jpeg2000/{}.jpeg2000.{}.png",
  }
  for image in (1600, "bridge"):
    _save(root / "src_imgs" / f"{image}.png", 1)
    for index, (kind, form) in enumerate(kinds.items(), 1):
      for level in range(1, 5 if kind == "contrast" else 6):
        _save(root / "dst_imgs" / form.format(image, level), level)
        sheet.append([None, None, None, image, index, kind, level, 0.05, level / 8])
  book.save(root / "csiq.DMOS.xlsx")
  return root


def build_kadid(root: Path) -> Path:
  """One reference, every type at every level."""
  _save(root / "images" / "I01.png", 1)
  with (root / "dmos.csv").open("w", newline="") as file:
    table = csv.writer(file)
    table.writerow(["dist_img", "ref_img", "dmos", "var"])
    for kind in range(1, 26):
      for level in range(1, 6):
        _save(root / "images" / f"I01_{kind:02d}_{level:02d}.png", kind)
        table.writerow([f"I01_{kind:02d}_{level:02d}.png", "I01.png", f"{5 - 0.7 * level:.2f}", "0.5"])
  return root
