"""The main window: puts the parts together and turns what the person does into new settings."""
