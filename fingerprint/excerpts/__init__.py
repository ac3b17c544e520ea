"""Excerpts of captures: the conversations that a verdict rests on, cut out and named."""
