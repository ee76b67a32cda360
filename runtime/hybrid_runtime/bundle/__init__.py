"""The bundle: config.json of an engine or of our own, checked, and the root file system beside it."""
