"""`jaxdistort sweep` in a checkout: see jaxdistort/cli/sweep.py, or --help."""

import sys

from jaxdistort.cli import main

main(["sweep", *sys.argv[1:]])
