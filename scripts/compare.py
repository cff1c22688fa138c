"""`jaxdistort compare` in a checkout: see jaxdistort/cli/compare.py, or --help."""

import sys

from jaxdistort.cli import main

main(["compare", *sys.argv[1:]])
