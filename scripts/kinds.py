"""`jaxdistort kinds` in a checkout: see jaxdistort/cli/kinds.py, or --help."""

import sys

from jaxdistort.cli import main

if __name__ == "__main__":  # not in the processes that decode pictures, which import this file too
  main(["kinds", *sys.argv[1:]])
