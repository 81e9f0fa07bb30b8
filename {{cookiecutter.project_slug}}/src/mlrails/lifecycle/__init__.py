"""Acts on the registry: each may be repeated, and goes by the model's digest."""
