"""Travel times, circles and coverage: arithmetic on the nouns of ``geodata``.

The name also belongs to coverage.py (the test-coverage tool). The two can never share an environment; see ARCHITECTURE.md.
"""
