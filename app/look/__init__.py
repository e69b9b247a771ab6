"""How everything looks: theme, colours and dashes of priors, noise as bytes, numbers in words. No state, no session."""
