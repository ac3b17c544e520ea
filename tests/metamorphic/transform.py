"""The transforms that authors of techniques test with as well."""

from fingerprint.testing.transforms import TRANSFORMS

__all__ = ["TRANSFORMS"]
