"""Reads ufw's rules and files, tells what ours would do to who is connected, and switches ufw on, on trial."""
