"""What was asked and answered, kept beside the server for whoever watches the model."""
