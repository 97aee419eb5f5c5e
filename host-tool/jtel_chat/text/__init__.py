"""Makes texts fit for people: printable, without secrets, in words instead of short keys."""
