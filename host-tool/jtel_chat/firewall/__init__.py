"""ufw: its rules, its files, what ours would do to who is connected, and switching it on, on trial."""
