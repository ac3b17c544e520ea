"""The way between the two ends: what died on it, what was refused on it, and where something stands."""
