"""The pipeline: its stages in order, what they use, and the keys that follow from both.

This module derives what follows from the declarations of stages. The stages are listed in wiring, and engine runs them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum, auto
from functools import cached_property
from typing import Any

from io_managers.store.fingerprint import Action, KeyTemplate, Part, same_part
from resources.settings.model_settings import BatchMode
from resources.tables.lance_schema import TABLES
from resources.tables.table_spec import TableSpec
from seed_assets.graph.published import PublishedCorpus
from seed_assets.graph.stage import REUSE, SOURCE, WORK, Identified, IdentifiedByFormat, OfKind, Stage, Units

# The part of each key that is the version of the stage.
VERSION = "version"


class Phase(IntEnum):
    """The phases of a seed, in order. Each has a job of its own, since a run has one kind of partitions, or none.

    PLACES: where each document stands in the corpus as a whole.
    """

    DOCUMENTS = auto()
    CLUSTERS = auto()
    CORPUS = auto()
    PLACES = auto()


@dataclass(frozen=True)
class Pipeline:
    """The stages by name, in an order in which each comes after its inputs, and the resources that they use, by name.

    keeping: stages whose published results are kept if only these parts of their keys have changed: resources (another model,
    another prompt), or VERSION. cluster_types: the partitions of the stages of cluster types and of clusters. asked_with: digests
    of the settings that shape requests to models; a recorded failure holds under them. left_out: by name, why a declared stage is
    not in the pipeline. files: those that decide what is declared, beside the settings. unused: the project's stages that these
    settings do not need. batched: by stage, whether its requests to models go into batches; those of others do not. A resource
    under the name `<stage>.<parameter>` is for that stage alone.
    """

    stages: Mapping[str, Stage]
    resources: Mapping[str, Any]
    keeping: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    cluster_types: tuple[str, ...] = ()
    asked_with: frozenset[str] = frozenset()
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])
    files: tuple[str, ...] = ()
    unused: frozenset[str] = frozenset()
    batched: Mapping[str, BatchMode] = field(default_factory=dict[str, BatchMode])

    def __post_init__(self) -> None:
        for position, stage in enumerate(self.stages.values()):
            before = {one.name for one in list(self.stages.values())[:position] if one.kind != "maintenance"}
            needed = (*stage.upstream, *stage.over)
            unknown = [name for name in needed if name not in before]
            if unknown:
                raise ValueError(f"Stage {stage.name}: its inputs {unknown} are no stages before it.")
            later = [name for name in needed if self.phases[name] > self.phases[stage.name]]
            if later:
                raise ValueError(f"Stage {stage.name}: its inputs {later} are made in a later phase than it is.")
            missing = [name for name in stage.uses if name != REUSE and self.resource(stage, name) is None]
            if missing:
                raise ValueError(f"Stage {stage.name} uses {missing}, which the pipeline does not have.")
        finding = [stage.name for stage in self.stages.values() if stage.finds]
        if len(finding) > 1 or (self.of_units(Units.CLUSTERS) and not finding):
            raise ValueError(f"One stage has to find the clusters, and {finding or 'none'} declare that they do.")

    @cached_property
    def templates(self) -> dict[str, KeyTemplate]:
        """The templates of each stage's action keys."""
        return {stage.name: KeyTemplate(stage.name, self._fixed(stage)) for stage in self.stages.values()}

    @cached_property
    def tables(self) -> Mapping[str, TableSpec]:
        """The project's tables, and those that sinks declare, by name."""
        declared = [stage.table_spec for stage in self.stages.values()]
        return {**TABLES, **{spec.name: spec for spec in declared if spec is not None}}

    def of_units(self, *units: Units) -> list[Stage]:
        """The stages of these units, in order."""
        return [stage for stage in self.stages.values() if stage.units in units]

    @cached_property
    def document_stages(self) -> list[Stage]:
        """The stages whose units are documents, tables included, in order."""
        return self.of_units(Units.DOCUMENTS)

    @cached_property
    def phases(self) -> dict[str, Phase]:
        """The phase of each stage, by name."""
        phases: dict[str, Phase] = {}
        for stage in self.stages.values():
            if stage.by_cluster_type:
                phases[stage.name] = Phase.CLUSTERS
            elif stage.units is Units.CORPUS:
                phases[stage.name] = Phase.CORPUS
            else:
                placed = stage.over or any(phases.get(name) is Phase.PLACES for name in stage.upstream)
                phases[stage.name] = Phase.PLACES if placed else Phase.DOCUMENTS
        return phases

    def of_phase(self, phase: Phase) -> list[Stage]:
        """The stages of a phase, in order."""
        return [stage for stage in self.stages.values() if self.phases[stage.name] is phase]

    @cached_property
    def placing_stages(self) -> list[Stage]:
        """The stages of documents that need results of the corpus as a whole, in order."""
        return self.of_phase(Phase.PLACES)

    @cached_property
    def finder(self) -> Stage | None:
        """The stage that finds the clusters; None if the pipeline has no clusters."""
        return next((stage for stage in self.stages.values() if stage.finds), None)

    def clusters_of(self, corpus: PublishedCorpus, cluster_type: str) -> Mapping[str, int] | None:
        """The present clusters of a type, with their numbers of members; None if nothing is published, or its value is lost."""
        if self.finder is None or self.finder.finds is None:
            return None
        found = corpus.value(self.finder.name, cluster_type, self.finder.returns)
        return None if found is None else self.finder.finds.sizes(found)

    def clusters(self, corpus: PublishedCorpus, types: Iterable[str] | None = None) -> dict[str, int]:
        """The present clusters of all types, or of some, with their numbers of members."""
        found = (self.clusters_of(corpus, one) for one in (self.cluster_types if types is None else types))
        return {name: size for sizes in found if sizes for name, size in sizes.items()}

    @cached_property
    def maintenance_stages(self) -> list[Stage]:
        """The stages that do work on tables, in order."""
        return [stage for stage in self.stages.values() if stage.kind == "maintenance"]

    def action(self, stage: Stage, inputs: Mapping[str, Part]) -> Action:
        """The action of a stage on inputs: stage name -> content digest, `source` -> digest and format."""
        return self.templates[stage.name].action(inputs)

    def source_part(self, content_digest: str, format: str) -> Part:
        """What `source` contributes to a key: bytes, format, and what else decides how files of the format are read."""
        read_with = self._read_with.get(format)
        if read_with is None:
            readers = [one for one in self.resources.values() if isinstance(one, IdentifiedByFormat)]
            read_with = self._read_with[format] = {
                name: part for one in readers for name, part in one.identity_of(format).items()
            }
        return {"content": content_digest, "format": format, **read_with}

    @cached_property
    def _read_with(self) -> dict[str, dict[str, Part]]:
        return {}

    def keeps(self, stage: Stage) -> bool:
        """Whether published results of a stage may be kept although its keys have changed."""
        return stage.continues or stage.name in self.keeping

    def kept(self, stage: Stage, before: Mapping[str, Part], now: Action) -> bool:
        """Whether a result whose key has the parts `before` is kept instead of that of `now`."""
        free = self.free_parts(stage)
        decisive = [name for name in before.keys() | now.parts.keys() if name not in free]
        if VERSION in free and SOURCE in decisive:
            # How files of a format are read is a part of the version of what is read of them.
            decisive.remove(SOURCE)
            if _file_of(before.get(SOURCE)) != _file_of(now.parts.get(SOURCE)):
                return False
        if stage.continues:
            return all(same_part(_present(before.get(name)), _present(now.parts.get(name))) for name in decisive)
        return stage.name in self.keeping and all(same_part(before.get(n), now.parts.get(n)) for n in decisive)

    def free_parts(self, stage: Stage) -> frozenset[str]:
        """The parts of a stage's key that are no reason to compute a published result again."""
        return self.keeping.get(stage.name, frozenset[str]())

    def used_by(self, stage: Stage) -> dict[str, Any]:
        """The resources that a stage's function takes, except `reuse`."""
        return {name: self.resource(stage, name) for name in stage.uses if name != REUSE}

    def resource(self, stage: Stage, name: str) -> Any:
        """What a stage uses under this name: its own, or that of all stages; None if there is none."""
        return self.resources.get(f"{stage.name}.{name}", self.resources.get(name))

    def with_stage(self, stage: Stage) -> "Pipeline":
        """The same pipeline with one stage replaced by name."""
        return replace(self, stages={**self.stages, stage.name: stage})

    def with_resources(self, **resources: Any) -> "Pipeline":
        """The same pipeline with some resources replaced by name."""
        return replace(self, resources={**self.resources, **resources})

    def downstream(self, names: Iterable[str], *, of_unit: bool = False) -> set[str]:
        """These stages and all that depend on them; with of_unit, only through results of the same unit."""
        found = set(names)
        for stage in self.stages.values():
            if found.intersection(stage.upstream if of_unit else (*stage.upstream, *stage.over)):
                found.add(stage.name)
        return found

    def _fixed(self, stage: Stage) -> dict[str, Part]:
        fixed: dict[str, Part] = {VERSION: stage.version}
        for name, resource in self.used_by(stage).items():
            # The place of a computation does not decide its result; and `source` has what concerns some formats.
            if name == WORK or isinstance(resource, IdentifiedByFormat):
                continue
            if stage.reuse == "inputs" and isinstance(resource, OfKind):
                fixed[name] = resource.kind
                continue
            if not isinstance(resource, Identified):
                raise TypeError(
                    f"Stage {stage.name} uses {name}, which does not say what decides its results (`identity`)."
                )
            fixed[name] = dict(resource.identity)
        return fixed


def _file_of(source: Part) -> list[Part]:
    """What `source` contributes to a key, without how files of its format are read."""
    return [source.get("content"), source.get("format")] if isinstance(source, Mapping) else [source]


def _present(part: Part | None) -> Part:
    """The part of a corpus input without the previous result that a stage continues from."""
    return part.get("now", part) if isinstance(part, Mapping) else part
