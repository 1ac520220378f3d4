"""From a teacher to a smaller student."""
