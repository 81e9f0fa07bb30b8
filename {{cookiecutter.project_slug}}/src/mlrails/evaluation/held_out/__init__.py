"""What is set on the validation rows once a model is fitted: its level, and its threshold."""
