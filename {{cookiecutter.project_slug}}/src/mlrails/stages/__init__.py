"""What every stage of `dvc.yaml` shares, and what a fit tells while it runs."""
