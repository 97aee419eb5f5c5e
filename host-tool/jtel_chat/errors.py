"""Defines the errors that a person reads; each text says what, where, why and what to do next."""


class Refused(Exception):
    """The host is not as the document needs it; nothing was changed."""


class Undrained(Refused):
    """A drain has ended with sessions left; nothing was changed, and the load balancers send new chats again."""


class Failed(Exception):
    """An effect went wrong; what the transaction had changed is put back."""


class Incomplete(Failed):
    """A part is done and stays so; the text says which other part is not, and why."""


class Stuck(Failed):
    """An effect went wrong, and part of what the transaction had changed could not be put back: the text names it."""


class Ended(Failed):
    """Somebody has ended this run, e.g. by SIGTERM. It fails like any other run.

    Where the rollback itself is ended, the next run completes it.
    """
