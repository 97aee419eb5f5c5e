"""What a person calls: `jtel-chatctl status`, `check`, `diff`, `log`, `update`."""
