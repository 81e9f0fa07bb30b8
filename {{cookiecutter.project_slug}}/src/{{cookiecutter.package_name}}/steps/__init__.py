"""The stages of `dvc.yaml`: one file, one verb, a function from files to files."""

from mlrails.core.processes import begin

begin()
