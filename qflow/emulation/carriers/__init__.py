"""How a node's integers are carried while it computes, and why that is exact."""
