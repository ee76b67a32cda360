"""Container engines on this device: which there are, whether their settings name this runtime, and how they come to."""
