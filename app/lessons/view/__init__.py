"""The window of the lessons: draws the scenes that models hand over, and computes nothing itself."""
