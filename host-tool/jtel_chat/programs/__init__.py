"""Other programs: run with bounds, confined, as transient units."""
