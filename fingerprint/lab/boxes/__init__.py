"""Boxes that stand on the way: the censors of the field, and innocent devices that look like them."""
