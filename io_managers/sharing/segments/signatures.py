"""Keys that sign segments, and whom a reader trusts. The signatures are Ed25519 (RFC 8032), made by `cryptography`.

The digest of a value proves the value, but not that it is the result of the action whose key it is filed under. So whoever can
write to a remote could file any value under any key. A signature says who vouches for that.

Two forms of text are used: `public:<64 hex digits>` may be shown to anybody, and `secret:<64 hex digits>` signs.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from io_managers.store.errors import SegmentError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PUBLIC, SECRET = "public:", "secret:"
_HEX = re.compile(r"[0-9a-f]{64}")


class SigningKey:
    """A key that signs."""

    def __init__(self, private: "Ed25519PrivateKey") -> None:
        self._private = private
        self.public = private.public_key().public_bytes_raw()

    @classmethod
    def generate(cls) -> "SigningKey":
        """Make a new key."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def parse(cls, text: str) -> "SigningKey":
        """Read a key from its text. Raises ValueError, whose message never holds the text."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.from_private_bytes(secret_bytes(text)))

    @property
    def text(self) -> str:
        """The secret form, which `parse` reads."""
        return SECRET + self._private.private_bytes_raw().hex()

    def sign(self, data: bytes) -> bytes:
        """The signature of some bytes: 64 bytes."""
        return self._private.sign(data)


def public_text(key: bytes) -> str:
    """The text of a public key."""
    return PUBLIC + key.hex()


def parse_public(text: str) -> bytes:
    """The 32 bytes of a public key from its text. Raises ValueError."""
    return _key_bytes(text, PUBLIC)


def secret_bytes(text: str) -> bytes:
    """The 32 bytes of a secret key from its text. Raises ValueError, whose message never holds the text."""
    return _key_bytes(text, SECRET)


def _key_bytes(text: str, kind: str) -> bytes:
    digits = text.strip().removeprefix(kind)
    if text.strip().startswith(kind) and _HEX.fullmatch(digits):
        return bytes.fromhex(digits)
    mistaken = " A secret key belongs in store.signing_key only." if text.strip().startswith(SECRET) else ""
    raise ValueError(f"a key is written as {kind} and 64 hexadecimal digits.{mistaken}")


class Trust:
    """Whose segments a reader takes.

    keys: the public keys that it trusts. unsigned: whether it takes segments without a signature, as from a folder that only its
    own user can write.
    """

    def __init__(self, keys: Iterable[bytes] = (), *, unsigned: bool = False) -> None:
        self.keys = frozenset(keys)
        self.unsigned = unsigned

    def check(self, data: bytes, key: bytes, signature: bytes) -> None:
        """Raise SegmentError unless the signature of `data` is right and its key is trusted. key: b"" for no signature."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        if not key:
            if not self.unsigned:
                raise SegmentError("It is not signed.", 'Sign what is pushed, or set store.unsigned = "accept".')
            return
        if key not in self.keys:
            raise SegmentError(
                f"It is signed by {public_text(key)}, which is not trusted.",
                "If you know whose key this is, add it to store.trusted_keys.",
            )
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, data)
        except (InvalidSignature, ValueError) as error:
            raise SegmentError("Its signature is wrong: it was changed after it was signed.") from error
