"""Rows: how they are typed, checked, split and kept."""
