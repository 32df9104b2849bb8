"""Learned: fake-quantizers whose scale training moves; the file name is its word."""
