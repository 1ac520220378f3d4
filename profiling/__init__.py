"""The timer that runs inside the function, and the tools that read, load and compare."""
