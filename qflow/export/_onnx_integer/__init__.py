"""How the exact ONNX target works inside: the oracle runs on symbols, what it does is kept."""
