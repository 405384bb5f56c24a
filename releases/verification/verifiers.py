"""Which datasets can be checked, each by its verifier; a dataset is added here."""

from collections.abc import Mapping

from releases.errors import UnknownRelease
from releases.verification.critical_token_pairs import CriticalTokenPairsVerifier
from releases.verification.long_cot_traces import LongCotTracesVerifier
from releases.verification.process_labels import ProcessLabelsVerifier
from releases.verification.self_correction_traces import SelfCorrectionTracesVerifier
from releases.verification.step_preference_pairs import StepPreferencePairsVerifier
from releases.verification.verifier import Verifier

VERIFIERS: Mapping[str, Verifier] = {
    "process_labels": ProcessLabelsVerifier(),
    "step_preference_pairs": StepPreferencePairsVerifier(),
    "critical_token_pairs": CriticalTokenPairsVerifier(),
    "self_correction_traces": SelfCorrectionTracesVerifier(),
    "long_cot_traces": LongCotTracesVerifier(),
}


def verifier_of(dataset: str) -> Verifier:
    """The verifier of a dataset; raises UnknownRelease with those there are."""
    verifier = VERIFIERS.get(dataset)
    if verifier is None:
        raise UnknownRelease(f"{dataset} is no dataset that can be checked; there are {', '.join(VERIFIERS)}")
    return verifier
