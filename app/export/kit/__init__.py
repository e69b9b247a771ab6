"""What the export formats share: plans, loops over frames, orders of axes."""
