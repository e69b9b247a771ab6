"""Everything that computes: noise, motion, priors, measures and diffusion. Imports neither app nor Qt."""

__version__ = "0.1.0"
