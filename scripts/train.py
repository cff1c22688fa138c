"""`jaxdistort train` in a checkout: see jaxdistort/cli/train.py, or --help."""

import sys

from jaxdistort.cli import main

if __name__ == "__main__":  # not in the processes that decode pictures, which import this file too
  main(["train", *sys.argv[1:]])
