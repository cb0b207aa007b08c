"""The errors that reach a user, and the exit status each one stands for."""


class VoxtrodeError(Exception):
    """Base of every error that voxtrode raises on purpose."""

    exit_status = 1


class InputError(VoxtrodeError):
    """The input cannot be used. The message says what came, what was expected, what to do."""

    exit_status = 2


class NotAvailableError(InputError):
    """The input asks for a feature of the design that is not available yet."""


class NumericalError(VoxtrodeError):
    """The numbers failed; the state was saved where there was one. The message names the cause."""

    exit_status = 3


class StorageError(VoxtrodeError):
    """Results could not be written, as on a full disk; what was complete before stays."""
