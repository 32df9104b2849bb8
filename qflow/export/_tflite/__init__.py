"""How the TFLite target works inside: legality, the operators it writes, the session."""
