"""What the window knows, as plain data without widgets: state and its history, catalogue, samples, pictures of frames, runs."""
