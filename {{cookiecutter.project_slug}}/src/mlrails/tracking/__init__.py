"""Runs of MLflow: one for each input key."""
