"""Why the model says what it says of one row: what each column moves, beside typical rows."""
