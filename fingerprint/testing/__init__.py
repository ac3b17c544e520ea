"""For authors of techniques: one call that checks all that a technique promises, and what its tests are made of."""
