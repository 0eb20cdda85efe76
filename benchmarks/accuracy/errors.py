"""What a user of the benchmark can put right."""


class UsageError(ValueError):
    """A data set, model or option that cannot be used, and what to do."""


class UnitError(RuntimeError):
    """A unit of work that ended without a result."""
