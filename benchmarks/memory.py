"""How much memory a process has."""

import re
from pathlib import Path


def memory_of(process: int, what: str = "VmRSS") -> int:
  """Bytes as the system counts them: `VmRSS` now, `VmHWM` at most so far; 0 where it does not say."""
  try:
    found = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
  except OSError:
    return 0
  return int(found[1]) * 1024 if found else 0
