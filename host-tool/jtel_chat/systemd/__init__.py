"""Reads the service's unit as systemd does, and takes over what is allowed of the vendor's."""
