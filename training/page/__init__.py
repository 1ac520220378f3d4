"""The report of a run as a page that a person enjoys."""
