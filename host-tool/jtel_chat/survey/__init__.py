"""What a host is, before anything is managed on it."""
