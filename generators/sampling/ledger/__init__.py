"""The ledger: every rollout that was paid for, in immutable Parquet parts of one folder for each slice."""

from generators.sampling.ledger.key import LedgerKey, sampling_json
from generators.sampling.ledger.law import Stored
from generators.sampling.ledger.lease import LeaseLost, LedgerHeld, Terms
from generators.sampling.ledger.ledger import Ledger
from generators.sampling.ledger.sharing import shared
from generators.sampling.ledger.totals import totals

__all__ = ["LeaseLost", "Ledger", "LedgerHeld", "LedgerKey", "Stored", "Terms", "sampling_json", "shared", "totals"]
