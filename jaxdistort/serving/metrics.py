"""What a server counts, as Prometheus reads it; each process its own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
  """Counters of one process.

  Attributes:
    requests: by path and status; what the guard refused has the path "refused".
    seconds: of requests, by path.
    under_way: requests without an answer yet.
    pictures: by answer: clean, spoiled, unclear, unreadable.
    found: pictures by group.
    together: pictures judged in one go.
  """

  def __init__(self) -> None:
    self._registry = registry = CollectorRegistry()
    self.requests = Counter("jaxdistort_requests", "Requests answered", ("path", "status"), registry=registry)
    self.seconds = Histogram(
      "jaxdistort_request_seconds", "Time to the answer", ("path",), registry=registry, buckets=_SECONDS
    )
    self.under_way = Gauge("jaxdistort_requests_under_way", "Requests without an answer yet", registry=registry)
    self.pictures = Counter("jaxdistort_pictures", "Pictures judged", ("answer",), registry=registry)
    self.found = Counter("jaxdistort_found", "Pictures in which a group was found", ("group",), registry=registry)
    self.together = Histogram(
      "jaxdistort_pictures_together", "Pictures judged in one go", registry=registry, buckets=(1, 2, 4, 8, 16, 32)
    )

  def text(self) -> bytes:
    """In Prometheus' text format."""
    return generate_latest(self._registry)
