"""Looks at addresses, sockets and connections of this host as its kernel has them, and asks other hosts."""
