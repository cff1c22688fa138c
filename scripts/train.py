"""`jaxdistort train` in a checkout: see jaxdistort/cli/train.py, or --help."""

import sys

from jaxdistort.cli import main

main(["train", *sys.argv[1:]])
