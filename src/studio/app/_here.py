"""`studio check` of this machine and its network: do names lead to one device each, are the ports free."""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from studio import devices
from studio.errors import DrawerError
from studio.language import _
from studio.show import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from studio.catalogue import Catalogue
    from studio.venue import Venue

PATIENCE = 2.0
"""Seconds for all names together: whoever checks waits, and a name server that is gone answers after thirty."""


def resolve(names: Iterable[str], seconds: float = PATIENCE) -> dict[str, tuple[str, ...] | None]:
    """The addresses of each name, sorted: none where there is no such host; `None` where nobody answered in time.

    An address is its own name, and `localhost` is this machine: for these nobody is asked.
    """
    found: dict[str, tuple[str, ...] | None] = {}
    asked = []
    for name in dict.fromkeys(names):
        if _is_address(name):
            found[name] = (name,)
        elif name == "localhost":
            found[name] = ("127.0.0.1", "::1")
        else:
            asked.append(name)
            found[name] = None
    answers: queue.SimpleQueue[tuple[str, tuple[str, ...]]] = queue.SimpleQueue()
    for name in asked:
        # A thread that hangs in the system's resolver must not hold up the end of the program.
        threading.Thread(target=lambda name=name: answers.put((name, _look_up(name))), daemon=True).start()
    end = time.monotonic() + seconds
    for _name in asked:
        try:
            name, addresses = answers.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            break
        found[name] = addresses
    return found


def _look_up(name: str) -> tuple[str, ...]:
    try:
        answers = socket.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(sorted({str(answer[4][0]) for answer in answers}))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def check_here(venue: Venue, catalogue: Catalogue) -> list[Finding]:
    """Return what names and ports of `studio.toml` are not as they should be on this machine, now."""
    return [*_hosts(venue, catalogue), *_ports(venue)]


def _hosts(venue: Venue, catalogue: Catalogue) -> Iterator[Finding]:
    ports = _network(venue, catalogue)
    known = resolve([venue.devices[number].host for number in ports])
    taken: dict[tuple[str, int], str] = {}
    for number, port in ports.items():
        device = venue.devices[number]
        addresses = known[device.host]
        place = venue.place("devices", number, "host")
        if addresses is None:
            no = _('nobody said within {seconds} s which address "{host}" has; is this machine on the network?')
            yield Finding(str(place.error(no.format(seconds=f"{PATIENCE:g}", host=device.host))), serious=False)
        elif not addresses:
            no = _('there is no host "{host}" on this network; write its address, such as 10.0.0.31')
            yield Finding(str(place.error(no.format(host=device.host))))
        elif _several(addresses):
            no = _('"{host}" leads to several addresses ({addresses}); write the one that is meant')
            no = no.format(host=device.host, addresses=", ".join(addresses))
            yield Finding(str(place.error(no)), serious=False)
        for address in addresses or ():
            other = taken.setdefault((address, port), device.name)
            if other != device.name:
                no = _('"{name}" has the same address and port ({address}:{port})')
                no = no.format(name=other, address=address, port=port)
                yield Finding(str(place.error(no)))
                break


def _several(addresses: tuple[str, ...]) -> bool:
    """One of each kind is one host."""
    return max(sum(":" in one for one in addresses), sum(":" not in one for one in addresses)) > 1


def _network(venue: Venue, catalogue: Catalogue) -> Mapping[int, int]:
    """The devices on the network by their number, and the port of each."""
    found = {}
    for number, device in enumerate(venue.devices):
        try:
            hardware = catalogue.load("hardware", device.hardware, devices.Hardware)
        except DrawerError:  # which has been said already
            continue
        port = device.port or getattr(getattr(hardware, hardware.driver, None), "port", None)
        if isinstance(port, int):
            found[number] = port
    return found


def _ports(venue: Venue) -> Iterator[Finding]:
    listen = urlsplit(venue.show.listen)
    wanted: list[tuple[str, str, str, int]] = [("web", "port", venue.web.host, venue.web.port)]
    if listen.scheme == "rtmp" and venue.show.input == "listen":
        wanted.append(("show", "listen", listen.hostname or "", listen.port or 0))
    for section, key, host, port in wanted:
        if not _free(host, port):
            no = _("port {port} is in use by another program now; is a show running?").format(port=port)
            yield Finding(str(venue.place(section, key).error(no)), serious=False)


def _free(host: str, port: int) -> bool:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, UnicodeError):
        return False
    return True
