"""Where to put sites: exact models on sparse matrices, each answer checked independently."""
