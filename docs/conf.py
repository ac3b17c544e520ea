"""Sphinx: MyST pages, furo, no network."""

from fingerprint import __version__

project = "censorship-fingerprint"
author = "The authors of censorship-fingerprint"
copyright = "GPL-2.0-or-later"
release = version = __version__

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "examples"]

html_theme = "furo"
html_title = f"censorship-fingerprint {release}"
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
