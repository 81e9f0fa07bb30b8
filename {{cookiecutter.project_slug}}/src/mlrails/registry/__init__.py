"""Versions of the model, their aliases, and who may move them."""
