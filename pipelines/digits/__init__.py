"""digits: a small residual network for handwritten digits, its data and how it was trained."""
