"""Pages: an incident, or one report, as a file that a person reads, with pictures of our own.

A page decides nothing. It is one static file: no request leaves it, so that it opens offline, in ten years too.
"""

from __future__ import annotations

from fingerprint.pages.incident_page import write_html

__all__ = ["write_html"]
