"""What the vendor's interpreter computes otherwise than the chip, for BM1684X and BM1688."""
