"""Errors that a person reads: what, where, why and what to do next, in one text."""


class Refused(Exception):
    """The host is not as the document needs it; nothing was changed."""


class Failed(Exception):
    """An effect went wrong; what the transaction had changed is put back."""


class Incomplete(Failed):
    """A part is done and stays so; the text says which other part is not, and why."""


class Stuck(Failed):
    """An effect went wrong, and not everything that the transaction had changed is put back: the text says what."""


class Ended(Failed):
    """Somebody ends this run. It fails like any other, but a rollback that is ended itself is left to the next run."""
