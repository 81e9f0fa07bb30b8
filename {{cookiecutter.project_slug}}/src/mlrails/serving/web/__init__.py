"""What people, probes and programs ask, and the ways that answer them."""
