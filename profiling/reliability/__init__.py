"""Does anything take it down? Traffic of every kind, with faults and without, and what is kept."""
