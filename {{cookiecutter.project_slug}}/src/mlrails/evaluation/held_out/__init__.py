"""What the validation rows set once a model is fitted: level, threshold and interval."""
