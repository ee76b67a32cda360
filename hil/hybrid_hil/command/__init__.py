"""One module per verb of `hil`; each exports a click command named `command`."""
