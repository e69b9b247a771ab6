"""Diffusion: preconditioning, samplers, networks, one file a task, training."""
