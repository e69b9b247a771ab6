"""What several formats of flow share."""
