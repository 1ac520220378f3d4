"""The protocols of others: each has a module, which is imported when it is first asked."""
