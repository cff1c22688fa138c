"""The web application: the recogniser and the distortions behind HTTP, and the pages."""

from jaxdistort.serving.app import create_app
from jaxdistort.serving.settings import Limits, Settings

__all__ = ["Limits", "Settings", "create_app"]
