"""Hellos, the flights that answer them, and names beside addresses."""
