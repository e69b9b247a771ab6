"""What several deformations share: affine maps, drops of glass, waves, Newton's method."""
