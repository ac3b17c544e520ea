"""Reads packet captures and says how a service is blocked."""

# Stands in pyproject.toml too; tests/test_project.py holds the two together.
__version__ = "0.1.0"
