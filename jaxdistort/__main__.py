"""`python -m jaxdistort`."""

from jaxdistort.cli import main

main()
