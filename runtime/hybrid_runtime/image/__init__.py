"""Firmware images: every way to name one, read with nothing trusted, the firmware taken out."""
