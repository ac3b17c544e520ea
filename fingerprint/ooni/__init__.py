"""Measurements of OONI: read as accounts of lower depth, and our own findings written in the same formats."""
