"""The panel at the right: whiteness, outputs, and what one pixel is made of."""
