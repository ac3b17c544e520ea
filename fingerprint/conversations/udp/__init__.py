"""Datagrams other than DNS and QUIC, one by one and by address."""
