"""The stages of `dvc.yaml`, run and told to their run."""
