"""Calls played against points: a queue of calls, the nearest free vehicle."""
