"""Train anew on what has come: the last day moves on, and the gate says what that is worth."""
