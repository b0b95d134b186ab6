"""Settings of all tests."""

from hypothesis import settings

# How long one example takes says something about the machine, not about the code.
settings.register_profile("truetune", deadline=None)
settings.load_profile("truetune")
