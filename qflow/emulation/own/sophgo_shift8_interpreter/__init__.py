"""BM1684: where the interpreter of the compiler differs from the chip."""
