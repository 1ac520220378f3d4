"""The contract between training and serving, and the trained bundle itself."""
