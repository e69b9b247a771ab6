"""Training: the loop that makes weights of a recipe."""
