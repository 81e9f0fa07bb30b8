"""The model fitted again, by its project's own code: what other seeds and other rows make of it."""
