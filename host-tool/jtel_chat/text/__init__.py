"""Texts for people: printable, without secrets, and the words for short keys."""
