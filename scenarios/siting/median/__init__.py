"""The p-median: good plans by swaps, proof by a Lagrangian bound, any rules by the solver."""
