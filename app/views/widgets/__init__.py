"""Small widgets that several panels are built of."""
