"""A bucket in a folder: for remotes on a shared disk, for exports and imports."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from io_managers.sharing.buckets.bucket import Found
from io_managers.store.errors import RemoteError
from io_managers.store.whole_files import flush_directory, open_regular, write_whole


class FolderBucket:
    """See Bucket. The folder must exist, since a missing one may be a disk that is not mounted."""

    def __init__(self, directory: Path, setting: str = "store.remote") -> None:
        """setting: where the folder is named, for messages."""
        self._setting = setting
        self.address = str(directory)
        self._directory = directory

    def get(self, name: str, most_bytes: int) -> bytes | None:
        """See Bucket."""
        with self._translated():
            try:
                with open_regular(self._path(name)) as file:
                    size_bytes = os.fstat(file.fileno()).st_size
                    return file.read() if size_bytes <= most_bytes else None
            except FileNotFoundError:
                self._check_exists()
                return None

    def put_first(self, name: str, data: bytes) -> bool:
        """See Bucket."""
        path = self._path(name)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with self._translated():
            self._check_exists()
            if path.exists():
                return False
            self._write(temporary, data)
            try:
                os.link(temporary, path)  # this fails if the file exists, unlike a rename
            except FileExistsError:
                return False
            finally:
                temporary.unlink(missing_ok=True)
            flush_directory(path.parent)
        return True

    def replace(self, name: str, data: bytes) -> None:
        """See Bucket."""
        with self._translated():
            self._check_exists()
            self._write(self._path(name), data)

    def list(self, folder: str) -> Iterator[Found]:
        """See Bucket."""
        with self._translated():
            self._check_exists()
            for path in sorted(self._path(folder).rglob("[!.]*")):
                try:
                    found = path.lstat()
                except FileNotFoundError:  # another process has deleted it since
                    continue
                if stat.S_ISREG(found.st_mode):
                    yield Found(path.relative_to(self._directory).as_posix(), found.st_size, found.st_mtime)

    def delete(self, name: str) -> None:
        """See Bucket."""
        with self._translated():
            self._path(name).unlink(missing_ok=True)

    def is_own(self) -> bool:
        """See Bucket."""
        with self._translated():
            self._check_exists()
            found = self._directory.stat()
        writable_by_others = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        return not writable_by_others and hasattr(os, "geteuid") and found.st_uid == os.geteuid()

    def _write(self, path: Path, data: bytes) -> None:
        """Write a file that those can read who can read the folder, although files of a home are private."""
        permissions = stat.S_IMODE(self._directory.stat().st_mode)
        missing = [folder for folder in path.parents if not folder.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        for folder in missing:
            folder.chmod(permissions)
        write_whole(path, data, mode=permissions & 0o644 | 0o600)

    def _path(self, name: str) -> Path:
        path = self._directory / name
        if Path(name).is_absolute() or ".." in path.parts:
            raise ValueError(f"{name!r} is no name in a bucket.")
        return path

    def _check_exists(self) -> None:
        if not self._directory.is_dir():
            raise RemoteError(
                f"The folder {self._directory} does not exist.",
                f"Create it, mount its disk, or correct {self._setting}: without it, everything there would seem to be missing.",
            )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RemoteError(
                f"The folder {self._directory} cannot be used: {error.strerror or error}.",
                "Check its permissions and the space on its disk. Nothing in this home was changed.",
            ) from error
