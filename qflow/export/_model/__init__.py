"""The integer model as Python has it: callable, with ports, saved and loaded as one file."""
