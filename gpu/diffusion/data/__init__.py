"""What networks learn from: photos, and pairs of target and condition cut from them."""
