"""CV18xx: where the interpreter of the compiler differs from the chip."""
