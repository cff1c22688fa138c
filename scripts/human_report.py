"""`jaxdistort human-report` in a checkout: see jaxdistort/cli/human_report.py, or --help."""

import sys

from jaxdistort.cli import main

if __name__ == "__main__":  # not in the processes that decode pictures, which import this file too
  main(["human-report", *sys.argv[1:]])
