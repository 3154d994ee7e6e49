"""For all tests: nothing is asserted of how long an example takes, on a busy machine least of all."""

from hypothesis import settings

settings.register_profile("technograph", deadline=None)
settings.load_profile("technograph")
