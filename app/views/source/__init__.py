"""The panel at the left: source, motion, noise and task."""
