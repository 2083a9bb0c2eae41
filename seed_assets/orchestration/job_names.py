"""The names of the project's jobs: one per phase, and one for the checks. This module does not import Dagster."""

from collections.abc import Mapping

from seed_assets.graph.pipeline import Phase

DOCUMENTS_JOB = "seed_documents"
CLUSTERS_JOB = "seed_clusters"
CORPUS_JOB = "seed_corpus"
PLACING_JOB = "place_documents"
CHECKS_JOB = "checks"

JOBS: Mapping[Phase, str] = {
    Phase.DOCUMENTS: DOCUMENTS_JOB,
    Phase.CLUSTERS: CLUSTERS_JOB,
    Phase.CORPUS: CORPUS_JOB,
    Phase.PLACES: PLACING_JOB,
}
"""The job of each phase."""
