"""One teacher, many students: what each costs and gains, and the best for a budget."""
