"""Personal data, kept apart and encrypted; and the keyed digests that stand for it.

One key file outside the store (``FARECARD_KEY_FILE``, else beside the SQLite file, readable by its
owner alone) holds 32 random bytes. From it come the key for digests and the key that seals each
subject's own key. Erasing a subject deletes its key; what was sealed under it is then noise.
"""

import hashlib
import hmac
import os
import stat
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from farecard.model.holders import plain_kana, plain_phone
from farecard.storage.errors import StoreError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_BYTES = 32
_NONCE, _TAG = 12, 16
WRAPPED_BYTES = _NONCE + KEY_BYTES + _TAG  # of a subject's own key, sealed


class KeyFileError(StoreError):
    """The key file is missing, unreadable or not the one this store was made with."""


class Vault:
    """Digests and seals under one master key."""

    def __init__(self, master: bytes) -> None:
        assert len(master) == KEY_BYTES
        self._digest = hashlib.blake2b(key=_derive(master, b"digest"), digest_size=16)
        self._match = _derive(master, b"match")
        self._wrap = _derive(master, b"wrap")
        self._draws = _derive(master, b"draws")
        self._sign = _derive(master, b"sign")
        self.fingerprint = _derive(master, b"fingerprint").hex()[:32]

    def digest(self, canonical: bytes) -> bytes:
        """The keyed digest of a command's body: equal bodies, equal digests."""
        state = self._digest.copy()
        state.update(canonical)
        return state.digest()

    def match(self, *parts: str) -> bytes:
        """A keyed digest under which the same person's data meet; spelling is evened out."""
        return self.keyed(
            *(
                "".join(
                    c for c in unicodedata.normalize("NFKC", part) if not c.isspace() and c != "-"
                )
                for part in parts
            )
        )

    def holder(self, kana: str, born: str) -> bytes:
        """What tells the same holder without a name: a digest of kana and birthday, in whatever usual spelling."""
        return self.match(plain_kana(kana), born)

    def phone(self, number: str) -> bytes:
        """The same of a phone number."""
        return self.match(plain_phone(number))

    def keyed(self, *parts: str) -> bytes:
        """A keyed digest of texts as they are, to find them by."""
        return hmac.digest(self._match, "\x00".join(parts).encode(), "sha256")[:16]

    def nonce(self, draw: int, account: int) -> bytes:
        """An entrant's nonce in a draw: 16 bytes that nobody can guess, the same whenever they are asked for."""
        return hmac.digest(self._draws, f"{draw}/{account}".encode(), "sha256")[:16]

    @property
    def public_key(self) -> str:
        """What ``sign`` can be checked with: an Ed25519 key, in hexadecimal digits."""
        return _signer(self._sign).public_key().public_bytes_raw().hex()

    def sign(self, said: bytes) -> str:
        """A signature that only the holder of the key file can make; hexadecimal digits."""
        return _signer(self._sign).sign(said).hex()

    def new_subject(self) -> tuple[bytes, bytes]:
        """A fresh key for one subject: the key itself, and sealed for the store."""
        key = os.urandom(KEY_BYTES)
        return key, _seal(self._wrap, key)

    def subject(self, wrapped: bytes) -> bytes:
        """A subject's key from the store."""
        return _open(self._wrap, wrapped)

    @staticmethod
    def seal(key: bytes, plain: bytes) -> bytes:
        """Encrypt under a subject's key."""
        return _seal(key, plain)

    @staticmethod
    def open(key: bytes, sealed: bytes) -> bytes:
        """Decrypt under a subject's key."""
        return _open(key, sealed)


def _signer(seed: bytes) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed)


def is_signed(public_key: str, said: bytes, signature: str) -> bool:
    """Whether a signature is of these bytes under a public key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), said)
    except (ValueError, InvalidSignature):
        return False
    return True


def _derive(master: bytes, purpose: bytes) -> bytes:
    return hashlib.blake2b(key=master, person=purpose, digest_size=32).digest()


def _seal(key: bytes, plain: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, None)


def _open(key: bytes, sealed: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)


def key_path(beside: Path) -> Path:
    """Where the key of a store is: ``FARECARD_KEY_FILE``, else the place its driver names."""
    named = os.environ.get("FARECARD_KEY_FILE")
    return Path(named) if named else beside


def make_key(path: Path) -> bytes:
    """Use the key at ``path``, or write a new one, readable by its owner alone."""
    if path.exists():
        return read_key(path)
    master = os.urandom(KEY_BYTES)
    try:
        _write_key(path, master)
    except OSError as error:
        raise KeyFileError(f"the key file {path} cannot be written: {error.strerror}") from None
    return master


def fingerprint_of(path: Path) -> str | None:
    """The fingerprint of the key at ``path``; None when there is no file."""
    return Vault(read_key(path)).fingerprint if path.exists() else None


def put_key(path: Path, master: bytes) -> None:
    """Put a store's key where another store looks for it; a key that is there is never overwritten."""
    part = path.with_name(path.name + ".part")  # killed meanwhile, the key is whole or not there
    part.unlink(missing_ok=True)
    if path.exists():
        if read_key(path) != master:
            raise KeyFileError(
                f"the key file {path} is another store's; move it away,"
                " or name the right one for both in FARECARD_KEY_FILE"
            )
        return
    try:
        _write_key(part, master)
        os.link(part, path)
    except OSError as error:
        raise KeyFileError(f"the key file {path} cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)


def _write_key(path: Path, master: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(path, flags, stat.S_IRUSR | stat.S_IWUSR), "wb") as file:
        file.write(master)
        file.flush()
        os.fsync(file.fileno())


def read_key(path: Path) -> bytes:
    """The 32 bytes of a key file."""
    try:
        master = path.read_bytes()
    except FileNotFoundError:
        raise KeyFileError(
            f"the key file {path} is missing; put it back, or name it in FARECARD_KEY_FILE"
        ) from None
    except OSError as error:
        raise KeyFileError(f"the key file {path} cannot be read: {error.strerror}") from None
    if len(master) != KEY_BYTES:
        raise KeyFileError(f"{path} is not a farecard key: it holds {len(master)} bytes, not 32")
    return master
