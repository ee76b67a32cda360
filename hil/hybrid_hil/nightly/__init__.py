"""A night: every longer run there is, part by part, and one table at its end."""
