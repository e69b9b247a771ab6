"""The comparison grid in the middle of the window."""
