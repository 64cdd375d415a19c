"""Tables of the domain studio."""
