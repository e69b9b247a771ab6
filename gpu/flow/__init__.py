"""Motion between frames: estimators, validity, accumulated maps, file formats."""
