"""The image made by Buildroot: its sources, the configuration, and a build that goes on where the last one stopped."""
