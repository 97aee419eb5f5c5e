"""One module a kind: each declares its fields, and offers `observe`, `apply` and, where files are not all, `undo`."""
