"""Files: the one way to open, write, rename and remove them, with the rights of who owns the folder."""
