"""A night: every longer run there is, job by job, and one table at its end."""
