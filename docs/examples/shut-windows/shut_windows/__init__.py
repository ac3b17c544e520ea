"""Techniques of fingerprint-shut-windows; each module is one."""
