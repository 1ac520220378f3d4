"""What the function writes down about each request: log line, trace, instance."""
