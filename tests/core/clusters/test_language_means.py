"""Topics of a corpus in several languages: subjects are grouped, and not languages."""

import numpy as np

from seed_assets.core.clusters.cluster_rules import ClusterRules
from seed_assets.core.clusters.clustering import cluster_topics
from seed_assets.core.clusters.language_means import language_means, languages_of, means_for
from seed_assets.core.clusters.topic_space import TopicDocument

SUBJECTS = 4
ENGLISH = "The text that is here was written by one of us for all of them, and it is about number {}."
GERMAN = "Der Text, der hier ist, wurde von einem von uns für alle geschrieben, und er ist über Nummer {}."


def documents(per_subject: int = 5) -> list[TopicDocument]:
    """Documents in two languages on the same four subjects; a vector says more about the language than about the subject."""
    rng = np.random.default_rng(3)
    found: list[TopicDocument] = []
    for language, (name, text) in enumerate((("en", ENGLISH), ("de", GERMAN))):
        for subject in range(SUBJECTS):
            for place in range(per_subject):
                vector = np.zeros(32, np.float32)
                vector[language] = 3.0
                vector[8 + subject] = 1.0
                vector[16:] = rng.normal(scale=0.05, size=16)
                found.append(TopicDocument(f"{name}/{subject}/{place}", text.format(subject), vector))
    return found


def test_documents_on_one_subject_are_together_in_any_language() -> None:
    """Without the means of the languages, all English documents are nearer to each other than to any German one."""
    clustering, basis = cluster_topics(documents(), ClusterRules(2, 0), None, None)
    assert set(basis.languages) == {"en", "de"}
    clusters = {one.document_id: clustering.placements[one.document_id].cluster_id for one in documents()}
    for subject in range(SUBJECTS):
        of_subject = {cluster for document, cluster in clusters.items() if document.split("/")[1] == str(subject)}
        assert len(of_subject) == 1
        assert None not in of_subject
    assert len(set(clusters.values())) == SUBJECTS


def test_a_corpus_of_one_language_has_no_means_of_languages() -> None:
    texts = [ENGLISH.format(place) for place in range(20)] + ["README"] * 20 + [GERMAN.format(1)] * 3
    rows = np.ones((43, 4), np.float32)
    assert language_means(languages_of(texts), rows, rows) == {}


def test_a_document_of_unknown_language_gets_the_nearest_means() -> None:
    vectors = np.array([[1, 0]] * 8 + [[0, 1]] * 8, np.float32)
    means = language_means(["en"] * 8 + ["de"] * 8, vectors, 2 * vectors)
    of_vectors, of_wording = means_for(["", "fr", "de"], np.array([[0.9, 0.1], [0.1, 0.9], [1, 0]], np.float32), means)
    assert of_vectors.tolist() == [[1, 0], [0, 1], [0, 1]]
    assert of_wording.tolist() == [[2, 0], [0, 2], [0, 2]]
