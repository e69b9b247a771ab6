"""The panel at the bottom: transport, scrub bar, curves over time."""
