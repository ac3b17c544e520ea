"""Samples: complete, reproducible, and judged as their recipes say."""
