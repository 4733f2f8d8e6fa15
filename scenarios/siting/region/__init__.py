"""Siting on a region: what may be asked, where points may stand, the plan and what it changes."""
