"""A figure in the plane: sequences of postures, their files, clothes, and pictures of it."""
