"""`jaxdistort serve` in a checkout: see jaxdistort/cli/serve.py, or --help."""

import sys

from jaxdistort.cli import main

if __name__ == "__main__":  # not in the processes that decode pictures, which import this file too
  main(["serve", *sys.argv[1:]])
