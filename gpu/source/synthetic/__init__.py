"""Sources made of a still that a deformation moves: their pictures, their exact motion, and the source itself."""
