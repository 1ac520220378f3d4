"""Where functions-framework and source deploys look for the handler."""

from function.handler import classify

__all__ = ["classify"]
