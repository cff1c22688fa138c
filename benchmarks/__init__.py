"""What is measured beside other libraries, and how fast a run is: a module for each command of `benchmarks.cli`."""
