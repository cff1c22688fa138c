"""`jaxdistort predict` in a checkout: see jaxdistort/cli/predict.py, or --help."""

import sys

from jaxdistort.cli import main

if __name__ == "__main__":  # not in the processes that decode pictures, which import this file too
  main(["predict", *sys.argv[1:]])
