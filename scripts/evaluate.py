"""`jaxdistort evaluate` in a checkout: see jaxdistort/cli/evaluate.py, or --help."""

import sys

from jaxdistort.cli import main

main(["evaluate", *sys.argv[1:]])
