"""Samplers: which points of a sweep run, and in what order; one file each, see `sampling`."""
