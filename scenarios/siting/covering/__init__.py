"""Covering models: one program, a bound for large questions, better plans by exchange."""
