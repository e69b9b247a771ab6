"""What the experiments share: the parts of an outcome, published figures, sampling runs."""
