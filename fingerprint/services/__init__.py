"""Services as data: which names a service lives under, in which role, and when."""
