"""A pure path in virtual time: the same boxes, servers and names as the kernel laboratory, without root and at once."""
