"""A second opinion: what Wireshark makes of exactly the packets that a verdict cites."""
