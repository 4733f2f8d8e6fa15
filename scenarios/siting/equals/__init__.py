"""Other choices that are exactly as good."""
