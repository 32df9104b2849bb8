"""The pt2 target: the fake-quantized model as a program of torch.export."""
