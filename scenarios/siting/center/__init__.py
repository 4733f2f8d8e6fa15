"""The p-center: set covering at one radius after another."""
