"""What a careful colleague would say of a table before anybody trains on it."""
