"""Worlds that are computed, a fluid or a walking figure: what scenes show and what models are trained on."""
