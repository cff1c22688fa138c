"""Work that is asked to stop."""

from jaxdistort.progress import Progress


class StopAfter(Progress):
  """Asks to stop once it was asked so many times."""

  def __init__(self, times):
    self.left = times

  def stop_asked(self):
    self.left -= 1
    return self.left < 0
