"""The doors, by what they lead to: each verb composes acts and has no logic of its own."""
