"""The model behind HTTP: one process, one loop, and no MLflow in it."""
