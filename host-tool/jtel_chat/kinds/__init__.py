"""Holds one module for each kind: declared fields, `observe`, `apply` and, where it owns more than files, `undo`."""
