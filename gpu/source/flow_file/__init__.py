"""Sources whose motion is read from a flow file: its readings, its inverse, and a still that is carried along it."""
