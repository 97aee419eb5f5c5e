"""The service's unit: its text as systemd reads it, and what of the vendor's is taken over."""
