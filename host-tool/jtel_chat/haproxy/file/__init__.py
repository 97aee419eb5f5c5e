"""The text of a haproxy.cfg: read, edited and judged without a process."""
