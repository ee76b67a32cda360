"""The firmware: found in a bundle or file, checked, installed where the kernel looks."""
