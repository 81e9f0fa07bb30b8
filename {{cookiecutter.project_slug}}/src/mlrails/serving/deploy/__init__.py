"""The model elsewhere: images and endpoints."""
