"""Addresses, sockets and connections of this host, as the kernel tells them."""
