"""What `noisescope batch` is made of: the manifest, what has been done already, one clip, and who makes the clips."""
