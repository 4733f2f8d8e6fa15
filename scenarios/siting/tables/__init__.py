"""Siting from tables: travel costs between ids, a number for each site."""
