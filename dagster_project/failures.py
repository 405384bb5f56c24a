"""Errors of the lower layers as failures in the UI: the same sentence; no retry unless another run is in the way."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from filters.schema import SchemaError
from generators.engine.errors import EngineError
from generators.problems.source import SourceError
from generators.sampling.ledger import LeaseLost, LedgerHeld
from generators.sampling.storage import StorageError
from generators.training.errors import TrainingError
from releases.errors import ReleaseError


@contextmanager
def explained() -> Iterator[None]:
    """Raise dg.Failure with the error's own sentence. The lower layers have already retried what can be retried."""
    try:
        yield
    except (EngineError, SourceError, StorageError, SchemaError, ReleaseError, TrainingError) as error:
        raise dg.Failure(str(error), allow_retries=isinstance(error, LedgerHeld | LeaseLost)) from error
