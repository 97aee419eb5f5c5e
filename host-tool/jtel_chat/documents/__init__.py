"""Reads documents, checks them against what each kind declares, and names what every kind offers."""
