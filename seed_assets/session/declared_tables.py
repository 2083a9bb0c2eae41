"""Tables that stages declare, compared with those that are there already under the same names.

A table that its stage has written before is none of this module's business: the sink writes it again if its columns have changed.
"""

from io_managers.store.store import Store
from resources.errors import ConfigurationError
from resources.tables.lance import LanceTables
from resources.tables.lance_errors import TableError
from seed_assets.graph.pipeline import Pipeline


def check_declared_tables(pipeline: Pipeline, store: Store, tables: LanceTables) -> None:
    """Raise ConfigurationError for a declared table that is there with other columns, and that its stage has never written.

    LanceDB is imported only if there is a table whose stage has published nothing.
    """
    for stage in pipeline.stages.values():
        spec = stage.table_spec
        if spec is None or tables.version(spec.name) is None or store.refs.get(stage.name):
            continue
        try:
            tables.checked(spec.name)
        except TableError as error:
            raise ConfigurationError(
                f"The stage {stage.name} ({stage.declared_in}) declares the table {spec.name}, and another table of this name is "
                f"there, which the stage has not written: {error.reason} Nothing was changed. Give the table of the stage "
                f"another name; or, if the other table is not needed, remove the folder {tables.folder(spec.name)}."
            ) from error
