"""How the ONNX target works inside: legality, the graph it writes, the session that runs it."""
