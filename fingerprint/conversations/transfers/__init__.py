"""Transfers: how fast, held back by what, and beside which control."""
