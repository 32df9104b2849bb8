"""Observers: one file is one way to find the range of a tensor; the file name is its word."""
