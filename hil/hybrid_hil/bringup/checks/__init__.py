"""What `hil bringup` runs: pytest tests, so that boards, care, evidence and reports are those of every other test."""
