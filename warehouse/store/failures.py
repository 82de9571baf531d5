"""What stops a command, by what its user must do about it."""


class GateFailed(Exception):
    """A check on the facts or of the machinery failed: nothing was published (exit 1)."""


class WrongUsage(Exception):
    """The command cannot mean that (exit 2)."""


class NothingKnown(WrongUsage):
    """The number could be, but nothing is known of it: an empty answer, no mistake (exit 0)."""


class EnvironmentProblem(Exception):
    """A lock, the disk, a key: the machine must be put right, then the same command works (exit 3)."""


class Damaged(EnvironmentProblem):
    """A file of the home is not as it was written (exit 3): trying again does not help."""
