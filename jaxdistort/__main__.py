"""`python -m jaxdistort`."""

from jaxdistort.cli import main

if __name__ == "__main__":  # not in the processes that decode pictures, which import this file too
  main()
