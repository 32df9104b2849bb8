"""Analysis: what is measured of a finished model. Free of torch: the compiler reads it."""
