"""What is doubtful in a region's data, before anybody trusts a number: ``circle15 check``."""
