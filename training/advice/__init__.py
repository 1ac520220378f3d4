"""What to mend in a table, what to label next, and what more rows would bring."""
