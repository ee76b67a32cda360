"""Hardware-in-the-loop rig: boots a board, watches its consoles, deploys the runtime, proves cores ran."""
