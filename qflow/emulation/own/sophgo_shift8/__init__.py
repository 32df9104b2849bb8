"""BM1684: what its compiler and chip compute by rules of their own."""
