"""Sweeps: many points of one program, frozen first, then run by a launcher, then compared."""
