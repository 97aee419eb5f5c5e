"""Hazelcast: its configuration, its library, and whether the members are one cluster."""
