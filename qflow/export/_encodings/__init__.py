"""Encodings of AIMET and QNN: one file per version of the format."""
