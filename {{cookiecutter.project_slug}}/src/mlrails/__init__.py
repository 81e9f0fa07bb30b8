"""The engine: the same in every project, and replaced as a whole by `nox -s update`."""
