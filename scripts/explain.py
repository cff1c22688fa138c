"""`jaxdistort explain` in a checkout: see jaxdistort/cli/explain.py, or --help."""

import sys

from jaxdistort.cli import main

main(["explain", *sys.argv[1:]])
