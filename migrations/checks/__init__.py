"""Tables of the domain checks."""
