"""What is deployed: HTTP in, predictions out. Lazy, small, no torch."""
