"""What `seedbank show` shows besides single results: the overviews and lists by the names that people give.

What belongs here: which name means what. What does not: the overviews and lists themselves, and single results of a document
(seed_assets.session.document_result).

The words `clusters`, `categories`, `concepts` and `entities` are the lists, and `topic/3`, `category/3` and `entity/3f` one of
them, whatever the corpus holds: a document is named by its whole path with its suffix, or as `./clusters`, and a folder is no
document.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resources.errors import ConfigurationError
from resources.wording import did_you_mean
from seed_assets.core.clusters.cluster_rules import CATEGORY
from seed_assets.core.entities.entity_ids import ENTITY
from seed_assets.graph.stage import Units
from seed_assets.reports.published_results import ALL_ENTITIES, CATEGORIES, CONCEPTS, ENTITIES, PublishedResults
from seed_assets.session.session import Session

if TYPE_CHECKING:
    from seed_assets.reports.page import Page

OVERVIEW = "overview"
"""The word for everything that is known of a document."""
_CLUSTERS = "clusters"
_LISTS = (_CLUSTERS, CATEGORIES, CONCEPTS)
_NUMBERED = re.compile(r"(.+)/\d+")


@dataclass(frozen=True, slots=True)
class Shown:
    """Something to show. kind: document, cluster, category, entity, or the word for a list.

    value: plain dataclasses, or None if there is nothing. notes: sentences about what is not current.
    """

    kind: str
    value: Any
    notes: list[str]
    page: "Page"


def find_shown(session: Session, name: str, part: str, most: int) -> Shown | None:
    """What a name means, if it is a list, a cluster, a category, or a document with the part `overview`; None otherwise.

    most: how many entries of a list of concepts are on its page, 0 for all. Raises ConfigurationError for a cluster or category
    that does not exist, and if a list or a cluster is given with a part; StoreError if a result cannot be opened.
    """
    results = PublishedResults(session)
    found = _found(session, results, name, part, most)
    results.check_opened()
    return found


def _found(session: Session, results: PublishedResults, name: str, part: str, most: int) -> Shown | None:
    kind = _kind(results, name)
    if kind and part:
        raise ConfigurationError(
            f"{name} is shown as a whole: leave out {part!r}. A document of this name is written ./{name}."
        )
    match kind:
        case "list":
            return _list(session, results, name, most)
        case "entity":
            return _entity(session, results, name, most)
        case "cluster":
            return _cluster(session, results, name)
        case "category":
            return _category(session, results, name)
        case _:
            return _document(session, results, name) if part == OVERVIEW else None


def _kind(results: PublishedResults, name: str) -> str:
    if name in _LISTS:
        return "list"
    if name == ENTITIES or name.startswith(f"{ENTITY}/"):
        return "entity"
    numbered = _NUMBERED.fullmatch(name)
    if numbered and numbered[1] == CATEGORY:
        return "category"
    return "cluster" if numbered and numbered[1] in results.cluster_types else ""


def _list(session: Session, results: PublishedResults, name: str, most: int) -> Shown:
    from seed_assets.reports.overview_pages import categories_page, clusters_page, concepts_page
    from seed_assets.reports.result_lists import list_categories, list_clusters, list_concepts
    from seed_assets.session.unit_notes import stage_notes

    if name == _CLUSTERS:
        types, stages = list_clusters(results), session.pipeline.of_units(Units.CLUSTER_TYPES, Units.CLUSTERS)
        notes = stage_notes(session, [stage for stage in stages if stage.kind == "value"])
        return Shown(name, types, notes, clusters_page(types, notes))
    notes = stage_notes(session, [session.pipeline.stages[name]])
    if name == CATEGORIES:
        categories = list_categories(results)
        return Shown(name, categories, notes, categories_page(categories, notes))
    concepts = list_concepts(results)
    return Shown(name, concepts, notes, concepts_page(concepts, most, notes))


def _cluster(session: Session, results: PublishedResults, name: str) -> Shown:
    from seed_assets.reports.cluster_overview import cluster_overview
    from seed_assets.reports.overview_pages import cluster_page
    from seed_assets.session.unit_notes import unit_notes

    found = cluster_overview(results, name)
    if found is None:
        results.check_opened()
        known = [one for cluster_type in results.cluster_types for one in results.clusters(cluster_type)]
        raise ConfigurationError(_unknown("cluster", name, known, "`seedbank show clusters` lists all of them."))
    stages = [stage for stage in session.pipeline.of_units(Units.CLUSTERS) if stage.kind == "value"]
    notes = unit_notes(session, stages, name)
    return Shown("cluster", found, notes, cluster_page(found, notes))


def _category(session: Session, results: PublishedResults, name: str) -> Shown:
    from seed_assets.reports.cluster_overview import category_overview
    from seed_assets.reports.overview_pages import category_page
    from seed_assets.reports.result_lists import list_categories
    from seed_assets.session.unit_notes import unit_notes

    found = category_overview(results, name)
    if found is None:
        results.check_opened()
        known = [one.category for one in list_categories(results)]
        raise ConfigurationError(_unknown("category", name, known, "`seedbank show categories` lists all of them."))
    notes = unit_notes(session, [session.pipeline.stages[CATEGORIES]], "")
    return Shown("category", found, notes, category_page(found, notes))


def _entity(session: Session, results: PublishedResults, name: str, most: int) -> Shown:
    """The list of all entities, or one of them."""
    if ALL_ENTITIES not in session.pipeline.stages:
        raise ConfigurationError("Entities are not enabled. Set `entities.enabled = true` and run `seedbank seed`.")
    from seed_assets.reports.entities.entity_pages import entities_page, entity_overview, entity_page, list_entities
    from seed_assets.session.unit_notes import stage_notes

    notes = stage_notes(session, [session.pipeline.stages[ALL_ENTITIES]])
    if name == ENTITIES:
        listed = list_entities(results)
        return Shown(name, listed, notes, entities_page(listed, most, notes))
    found = entity_overview(results, name)
    if found is None:
        results.check_opened()
        known = [one.entity for one in list_entities(results)]
        raise ConfigurationError(_unknown("entity", name, known, "`seedbank entities list` lists all of them."))
    return Shown("entity", found, notes, entity_page(found, notes))


def _document(session: Session, results: PublishedResults, name: str) -> Shown:
    from seed_assets.reports.document_overview import document_overview
    from seed_assets.reports.overview_pages import document_page
    from seed_assets.reports.page import Page, Paragraph
    from seed_assets.session.document_result import find_document
    from seed_assets.session.unit_notes import document_notes

    document = find_document(session, name)
    found, notes = document_overview(results, document), document_notes(session, document)
    results.check_opened()
    page = document_page(found, notes) if found else Page(document, [Paragraph(note) for note in notes])
    return Shown("document", found, notes, page)


def _unknown(what: str, name: str, known: list[str], remedy: str) -> str:
    return f"There is no {what} {name!r}.{did_you_mean(name, known)} {remedy}"
