"""`jaxdistort convert` in a checkout: see jaxdistort/cli/convert.py, or --help."""

import sys

from jaxdistort.cli import main

main(["convert", *sys.argv[1:]])
