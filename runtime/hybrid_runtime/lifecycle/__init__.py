"""What happens to a container: its creation and its start."""
