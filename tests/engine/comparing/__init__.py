"""Tests of comparing files of tensors."""
