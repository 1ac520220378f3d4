"""A request in at the socket and out as an answer."""
