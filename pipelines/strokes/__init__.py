"""strokes: which pixels of a noisy handwritten digit are ink; its network has an image as tail."""
