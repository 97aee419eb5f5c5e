"""The HAProxy of this host: how it was started, what it says, checks, reloads and probes."""
