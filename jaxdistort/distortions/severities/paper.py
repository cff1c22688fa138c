"""The constants of the study whose data sets and results this project repeats: one level for each distortion."""

from types import MappingProxyType

from jaxdistort.distortions.severities.table import SEVERITY_TABLES, Entry, SeverityTable

_CONSTANTS = {
  "gaussian_blur": {"radius": 10},
  "motion_blur": {"distance": 50, "angle": 90},  # 90 radians: meant as degrees
  "gaussian_noise": {"amount": 25, "density": 1},
  "monochrome_noise": {"amount": 25, "density": 1},
  "marble": {"x_scale": 20, "y_scale": 20, "turbulence": 5},
  "twirl": {"angle": 3, "radius": 250},
  "ripple": {"x_amplitude": 10, "x_wavelength": 10, "y_amplitude": 10, "y_wavelength": 10},  # in its code only
  "jpeg": {"quality": 75},  # the last step of every picture
}
_ENTRIES = {name: Entry(name, (constants,)) for name, constants in _CONSTANTS.items()}

PAPER = SEVERITY_TABLES.register("paper", SeverityTable("the study's first data set", MappingProxyType(_ENTRIES)))
"""The study's parameters."""
