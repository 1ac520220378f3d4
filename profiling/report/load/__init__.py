"""Sends load to a running function with Locust, and keeps every sample. See plan.py."""
