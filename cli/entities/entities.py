"""The commands `seedbank entities ...`: arguments, exit statuses and output. What decisions are is in
core.entities.resolution.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.invocation import HomeOption, JsonOption, open_session
from cli.streams import print_json, print_text
from io_managers.plain_text import plain
from resources.errors import ConfigurationError

if TYPE_CHECKING:
    from seed_assets.core.entities.resolution.canonical import CanonicalEntities, CanonicalEntity
    from seed_assets.core.entities.resolution.decisions_file import EntityDecision
    from seed_assets.session.session import Session

entities_app = typer.Typer(
    help="List entities, and decide which of them are one.", no_args_is_help=True, pretty_exceptions_enable=False
)

_Entity = Annotated[
    str, typer.Argument(metavar="ENTITY", help="An entity, by its id (entity/3f2a9c01b7) or by a name.")
]


@entities_app.command("list")
def list_(
    similar: Annotated[
        bool, typer.Option("--similar", help="List pairs that may be one entity although nothing decides it.")
    ] = False,
    kind: Annotated[str, typer.Option("--type", help="List entities of this type only.")] = "",
    limit: Annotated[int, typer.Option(min=0, help="List at most so many (0 = all).")] = 100,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the entities of all documents, those of most documents first."""
    with open_session(None, home, must_exist=True) as session:
        from seed_assets.reports.entities.entity_pages import entities_page, list_entities, list_similar, similar_page
        from seed_assets.reports.published_results import PublishedResults
        from seed_assets.reports.text_form import text_lines

        results = PublishedResults(session)
        resolved = resolved_entities(session, results)
        listed = (
            list_similar(resolved) if similar else [one for one in list_entities(results) if kind in ("", one.type)]
        )
        if as_json:
            print_json(listed)
            return
        page = similar_page(listed, limit) if similar else entities_page(listed, limit)  # pyright: ignore[reportArgumentType]
        print_text("\n".join(text_lines(page)))


@entities_app.command()
def merge(entity: _Entity, other: _Entity, home: HomeOption = None) -> None:
    """Decide that two entities are one. The next seed puts them together and computes nothing else again."""
    with open_session(None, home, must_exist=True) as session:
        from seed_assets.core.entities.resolution.decisions_file import SAME

        found = resolved_entities(session)
        one, two = named_entity(found, entity), named_entity(found, other)
        if one.entity_id == two.entity_id:
            raise ConfigurationError(f"{entity} and {other} are one entity already.")
        sides = [(a, b) for a in _meant(found, one) for b in _meant(found, two)]
        _decide(session, [_decision(SAME, one.name, a, two.name, b) for a, b in sides])
        print_text(f"{plain(one.name)} and {plain(two.name)} are one entity from the next seed on.")


@entities_app.command()
def split(
    entity: _Entity,
    document: Annotated[
        list[str] | None,
        typer.Option(
            "--document",
            help="A document in which another one is meant. Without any, each document means another one.",
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Decide that an entity is several. The next seed parts it and computes nothing else again."""
    with open_session(None, home, must_exist=True) as session:
        from seed_assets.core.entities.resolution.decisions_file import DIFFERENT

        one = named_entity(resolved_entities(session), entity)
        members = sorted({member.document_id for member in one.members})
        if unknown := [name for name in document or () if name not in members]:
            raise ConfigurationError(f"{unknown[0]} does not mention {one.name}. These do: {', '.join(members[:10])}.")
        if len(members) == 1:
            raise ConfigurationError(f"{one.name} is mentioned in one document only, so there is nothing to part.")
        apart = document or []
        rest = [name for name in members if name not in apart]
        pairs = [(a, b) for a in apart for b in rest] if apart else [("", "")]
        names = sorted({one.name, *one.aliases})
        _decide(
            session, [_decision(DIFFERENT, name, a, other, b) for name in names for other in names for a, b in pairs]
        )
        print_text(f"{plain(one.name)} is several entities from the next seed on.")


def resolved_entities(session: "Session", results: "object | None" = None) -> "CanonicalEntities":
    """The entities of all documents. Raises ConfigurationError if there are none, StoreError if they cannot be opened."""
    from seed_assets.reports.published_results import ALL_ENTITIES, PublishedResults

    if ALL_ENTITIES not in session.pipeline.stages:
        raise ConfigurationError("Entities are not enabled. Set `entities.enabled = true` and run `seedbank seed`.")
    opened = results if isinstance(results, PublishedResults) else PublishedResults(session)
    found = opened.all_entities()
    opened.check_opened()
    if found is None:
        raise ConfigurationError("There are no entities yet. Run `seedbank seed`.")
    return found


def named_entity(found: "CanonicalEntities", name: str) -> "CanonicalEntity":
    """The entity of an id or a name. Raises ConfigurationError if there is none, or more than one."""
    from resources.wording import did_you_mean
    from seed_assets.core.entities.normal_names import name_key, normal_name

    key = name_key(normal_name(name))
    named = [one for one in found.entities if one.entity_id == name] or [
        one for one in found.entities if key and key in {name_key(normal_name(of)) for of in (one.name, *one.aliases)}
    ]
    if len(named) > 1:
        ids = ", ".join(f"{one.entity_id} ({one.members[0].document_id})" for one in named[:5])
        raise ConfigurationError(f"Several entities are named {name}: {ids}. Name one of them by its id.")
    if not named:
        guess = did_you_mean(name, [one.name for one in found.entities])
        raise ConfigurationError(f"There is no entity {name!r}.{guess} `seedbank entities list` lists all of them.")
    return named[0]


def _meant(found: "CanonicalEntities", entity: "CanonicalEntity") -> list[str]:
    """The documents in which the name means this entity; "" for all, if no other entity has the name."""
    namesakes = [one for one in found.entities if one.name == entity.name]
    return [""] if len(namesakes) == 1 else sorted({member.document_id for member in entity.members})


def _decision(decision: str, name: str, document: str, other: str, other_document: str) -> "EntityDecision":
    from seed_assets.core.entities.resolution.decisions_file import SAME, EntityDecision

    return EntityDecision("same" if decision == SAME else "different", name, document, other, other_document)


def _decide(session: "Session", decisions: "list[EntityDecision]") -> None:
    from seed_assets.core.entities.resolution.decisions_file import EntityDecisions

    EntityDecisions(session.home.entity_decisions).add(decisions)
