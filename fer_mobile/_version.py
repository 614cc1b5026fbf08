"""The version: the one place that says it, for the package and for its build."""

__version__ = "0.1.0"
