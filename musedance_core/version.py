"""The version of the package, one truth for packaging, the command line and checkpoints."""

__version__ = "0.1.0"
