"""The version of acc, read by the build and by `acc --version`."""

__version__ = "0.1.0"
