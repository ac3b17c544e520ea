"""Many accounts → one incident: services × roles × vantages × time, and whether it was one thing."""
