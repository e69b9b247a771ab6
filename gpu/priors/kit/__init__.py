"""What several priors share: how they run, how noise is resampled, degradation."""
