"""What happens on a board: the runtime and firmware on it, proofs, faults, and how a test left it."""
