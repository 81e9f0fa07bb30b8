"""The model behind HTTP: one loop in each process, and no MLflow in it."""
