"""Smoke in two dimensions: solver, grid, random access, what it looks like."""
