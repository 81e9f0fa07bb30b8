"""The workflows of the forge, replayed on this machine."""
