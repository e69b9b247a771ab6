"""Measures: whiteness of noise, coherence along the motion, quality of outputs."""
