"""Sets evaluated runs side by side, in the form of the study's tables, with its own figures beside them.

python scripts/compare.py runs/six runs/vgg_six report_live --output comparison
"""

import argparse
from pathlib import Path

from jaxdistort.cli import console


def parse_arguments() -> argparse.Namespace:
  parser = console.ArgumentParser(__doc__)
  parser.add_argument(
    "folders", nargs="+", type=Path, help="folders that evaluate.py wrote, or runs (all reports below them)"
  )
  parser.add_argument(
    "--output", type=console.output_folder, default=None, help="folder for comparison.md and comparison.json"
  )
  return parser.parse_args()


def main() -> None:
  arguments = parse_arguments()
  from jaxdistort.evaluation import compare, format_comparison, read_judgements
  from jaxdistort.files import write_json, write_whole

  comparison = compare(read_judgements(arguments.folders))
  text = format_comparison(comparison)
  print(text)
  if arguments.output:
    arguments.output.mkdir(parents=True, exist_ok=True)
    write_whole(arguments.output / "comparison.md", f"{text}\n")
    write_json(arguments.output / "comparison.json", comparison)
    print(f"\nwritten to {arguments.output}")


if __name__ == "__main__":
  console.run(main)
