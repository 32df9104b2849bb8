"""Conformance: every profile against runtimes nobody here wrote, on accumulators near ties."""
