"""The customer's HAProxy: `file` edits its configuration, `process` asks and reloads what runs."""
