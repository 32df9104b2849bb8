"""CV18xx: what its compiler and chip compute by rules of their own."""
