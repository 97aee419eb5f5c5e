"""Judges Hazelcast's configuration, asks its library, and tells whether the members are one cluster."""
