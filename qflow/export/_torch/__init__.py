"""The torch target: the state of a fake-quantized model, written and put back."""
