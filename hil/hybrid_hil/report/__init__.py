"""Reports on runs: what was recorded, its summary, and the page that shows it."""
