"""A network, and how it is fitted to rows."""
