"""Techniques as guests: found, checked, set, bounded in time, and held to their word."""
