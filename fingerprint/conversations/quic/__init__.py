"""QUIC connections: what was tried, what came back, and what ended them."""
