"""Tables of the domain runs."""
