"""The firmware: checked, and installed where the kernel looks."""
