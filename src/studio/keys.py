"""Stream keys and passphrases: where they are kept, and how they are read.

They come from an environment variable, from a file that nobody else may read, or from the keyring of the desktop.
None of them is ever repeated in a sentence, a log or a list of processes.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from studio.errors import SecretError, why
from studio.language import _

SERVICE = "studio"
"""Under which name the keyring keeps our keys."""
LARGEST = 4096
"""Bytes of a key file; the longest keys that services give out have a few hundred."""
PATIENCE = 30.0
"""Seconds for the keyring: a person may first have to unlock it."""


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where one key is kept; at most one of the three is said, and none means that there is no key."""

    env: str | None = None
    """An environment variable."""
    file: Path | None = None
    """A file that holds the key alone, and that only its owner may read."""
    keyring: str | None = None
    """The name under which `keyring set studio NAME` put it into the keyring of the desktop."""

    def __bool__(self) -> bool:
        """Whether a place is said at all."""
        return bool(self.env or self.file or self.keyring)

    @property
    def shown(self) -> str:
        """The place as people know it; empty for none."""
        if self.env:
            return _("environment variable {variable}").format(variable=self.env)
        if self.file:
            return _("file {file}").format(file=self.file)
        return _("keyring entry {name}").format(name=self.keyring) if self.keyring else ""

    def read(self) -> str:
        """Return the key, empty where none is said; SecretError with what to do where it cannot be had."""
        if self.env:
            return _from_environment(self.env)
        if self.file:
            return _from_file(self.file)
        return _from_keyring(self.keyring) if self.keyring else ""


def _from_environment(variable: str) -> str:
    key = os.environ.get(variable, "").strip()
    if not key:
        raise SecretError(
            _("The environment variable {variable} is empty; put the key into it before you start studio.").format(
                variable=variable
            )
        )
    return _one_line(key, KeySource(env=variable))


def _from_file(file: Path) -> str:
    try:
        # Not to wait for whoever would write into a pipe of that name.
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as problem:
        raise SecretError(
            _("The key file {file} cannot be read ({reason}); put the key there, and the key alone.").format(
                file=file, reason=why(problem)
            )
        ) from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise SecretError(_("The key file {file} is no file; name one that holds the key alone.").format(file=file))
        if found.st_uid not in (os.geteuid(), 0) or found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SecretError(
                _("The key file {file} may be read by others; run: chown $USER {file} && chmod 600 {file}").format(
                    file=shlex.quote(str(file))
                )
            )
        text = os.read(descriptor, LARGEST + 1)
    finally:
        os.close(descriptor)
    try:
        key = text.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        key = ""
    if not key or len(text) > LARGEST:
        raise SecretError(
            _("The key file {file} holds no key; write the key into it, and the key alone.").format(file=file)
        )
    return _one_line(key, KeySource(file=file))


def _from_keyring(name: str) -> str:
    """Ask in a process of its own: a keyring that waits for a person to unlock it must not hold up anything else."""
    if importlib.util.find_spec("keyring") is None:
        raise SecretError(_("The keyring needs one more package; run: pip install 'studio[keyring]'"))
    command = [sys.executable, "-m", "keyring", "get", SERVICE, name]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (subprocess.TimeoutExpired, OSError, UnicodeDecodeError):
        done = None
    key = done.stdout.strip() if done and done.returncode == 0 else ""
    if not key:
        raise SecretError(
            _("The keyring gives no key {name}; unlock it, or run: keyring set {service} {name}").format(
                name=name, service=SERVICE
            )
        )
    return _one_line(key, KeySource(keyring=name))


def _one_line(key: str, source: KeySource) -> str:
    """`key`, which goes to other programs as one line of text."""
    if not key.isprintable():
        raise SecretError(
            _(
                "The key in {place} has more than one line or signs that cannot be seen; keep the key there alone."
            ).format(place=source.shown)
        )
    return key
