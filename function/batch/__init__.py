"""Score a file of rows without a server."""
