"""One module per verb of `hil`, each with a click command named `command`; and what only the verbs need."""
