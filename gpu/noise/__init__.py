"""The noise itself: counter-based randomness, the persistent fine field, polygons, rasterisation, anchors."""
