"""What did the deployed function do? Its log lines, read back, summed up and compared."""
