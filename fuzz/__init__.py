"""Fuzzing of everything that reads a text: `python -m fuzz`; what it found is kept in `seeds/`."""
