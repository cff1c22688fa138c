"""The benchmarks of a checkout: see benchmarks/cli.py, or --help."""

import sys
from pathlib import Path

if __name__ == "__main__":  # not in the processes that decode pictures, which import this file too
  sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
  from benchmarks.cli import main

  main()
