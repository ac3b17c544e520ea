"""Application messages, parsed from bytes that a censor may have written: pure functions, frozen results.

A parser returns what it could read and says with `Malformed` where it stopped; it never raises on strange bytes.
"""
