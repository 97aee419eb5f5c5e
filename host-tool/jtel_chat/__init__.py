"""The host tool of the CHAT role: observes, applies and undoes documents on one host."""
