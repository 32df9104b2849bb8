"""Launchers: where the points of a sweep run. One file each; its fields are its options."""
