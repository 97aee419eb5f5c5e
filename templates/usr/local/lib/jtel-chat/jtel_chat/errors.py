"""Errors that a person reads: what, where, why and what to do next, in one text."""


class Refused(Exception):
    """The host is not as the document needs it; nothing was changed."""


class Ended(Exception):
    """Somebody ends this run. Nothing of ours takes that for a failure of what it was doing."""


class Failed(Exception):
    """An effect went wrong; what the transaction had changed is put back."""
