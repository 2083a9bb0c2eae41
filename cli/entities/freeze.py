"""The command `seedbank entities freeze`: its arguments and where it writes. Which names are in the list is in core.entities."""

from pathlib import Path
from typing import Annotated

import typer

from cli.entities.entities import resolved_entities
from cli.invocation import HomeOption, open_session
from cli.report import check_place
from cli.streams import print_text


def freeze(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The CSV file to write, which entities.known may name.")],
    limit: Annotated[int, typer.Option(min=0, help="Write at most so many entities (0 = all).")] = 200,
    documents: Annotated[int, typer.Option(min=1, help="Write entities of at least so many documents only.")] = 2,
    home: HomeOption = None,
) -> None:
    """Write the entities of most documents as a list of known names, for later documents and for people to edit.

    Nothing changes until entities.known names the file. The list is a part of the keys from then on, so it stays as it is until
    it is written again.
    """
    with open_session(None, home, must_exist=True) as session:
        from io_managers.store.whole_files import write_whole
        from resources.wording import counted
        from seed_assets.core.entities.resolution.frozen_names import frozen_names

        check_place(file, session)
        text, count = frozen_names(resolved_entities(session), session.settings.entities.types, limit, documents)
        write_whole(file, text)
        print_text(f"{file}: {counted(count, 'known name')}. Set `entities.known` to this file to use it.")
