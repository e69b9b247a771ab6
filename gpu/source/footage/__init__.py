"""Sources that were filmed: video files and sequences of pictures, and the cuts between their shots."""
