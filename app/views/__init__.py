"""One widget a file: it is given state, draws it, and emits what the person did. Views never call gpu."""
