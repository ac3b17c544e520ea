"""Requests in the clear and their answers."""
