"""What pictures need of the packets: ladders of the deciding packets, curves of goodput."""
