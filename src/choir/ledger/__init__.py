"""Layer 1: the rules, as a pure function over integers. No I/O, clock, randomness, floats or hash order."""
