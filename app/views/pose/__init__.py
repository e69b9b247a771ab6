"""The pose editor's widgets."""
