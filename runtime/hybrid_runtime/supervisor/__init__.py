"""The process that stands for a container while its firmware runs."""
