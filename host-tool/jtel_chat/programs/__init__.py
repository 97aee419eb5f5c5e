"""Runs other programs: with bounds, confined, or as transient units."""
