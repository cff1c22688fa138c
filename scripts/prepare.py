"""`jaxdistort prepare` in a checkout: see jaxdistort/cli/prepare.py, or --help."""

import sys

from jaxdistort.cli import main

main(["prepare", *sys.argv[1:]])
