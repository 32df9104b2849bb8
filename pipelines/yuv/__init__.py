"""yuv: a small network that names the colour of a shape, its synthetic images, and its training."""
