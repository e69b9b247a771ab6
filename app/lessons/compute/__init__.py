"""What the lessons share: their vocabulary (steps, scenes, texts) and what they compute. No Qt here."""
