"""How figures reach people: plots and pages in one style."""
