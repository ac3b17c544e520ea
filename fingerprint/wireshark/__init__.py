"""Where Wireshark helps: display filters, key logs, and the one door to pyshark."""
