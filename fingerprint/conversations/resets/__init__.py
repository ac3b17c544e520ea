"""How TCP connections end, and whether the end came from the host that it names."""
