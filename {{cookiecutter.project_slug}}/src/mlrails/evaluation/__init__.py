"""How good a model is, beside simple ones, and how sure that is."""
