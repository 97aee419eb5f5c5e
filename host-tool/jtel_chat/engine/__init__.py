"""Looks at, applies and undoes documents: transactions, journals, originals, records, the lock and the log."""
