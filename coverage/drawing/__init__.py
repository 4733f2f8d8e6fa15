"""Reached road as areas: what ``coverage.circles`` draws with."""
