"""What GitHub is told and asked; no logic of the project's own lives in a workflow."""
