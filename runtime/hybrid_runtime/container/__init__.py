"""A container: its identity, record, status, log, and its claim on a processor."""
