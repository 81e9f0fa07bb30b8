"""A model: fitted, written, loaded, and the same bytes for the same fit."""
