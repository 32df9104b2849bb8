"""One operator of the integer graph per file, as the ONNX nodes that stand for it."""
