"""Five minutes of load on a bundle, and the page that shows what came of it."""
