"""Live probing: plans, steps, talks, the order of steps, and the wires that carry them."""
