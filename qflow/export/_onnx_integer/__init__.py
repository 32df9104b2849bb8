"""How the exact ONNX target works inside: the oracle is run on symbols, and what it does is kept."""
