"""Maximal covering with capacities."""
