"""The dialog of the experiments and the list of their runs."""
