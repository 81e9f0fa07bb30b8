"""The search for better hyperparameters: trials on validation rows, kept, told and shown."""
