"""YAML 1.2, with the line of every value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from studio.catalogue._said import Place, Said, Scalar, read_text
from studio.language import _

if TYPE_CHECKING:
    from studio.errors import DrawerError

_CORE = "tag:yaml.org,2002:"
_TEXT = {_CORE + name for name in ("str", "timestamp", "merge", "value")}
"""A date stays the text that it is, and `<<` has no meaning: `based_on` is how a file builds on another."""


def read_yaml(file: Place) -> Said:
    """Read the one document of the file; DrawerError with one sentence for whatever is wrong with it."""
    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(read_text(file))
    except MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        place = Place(file.file, mark.line + 1, file.folder) if mark else file
        reason = " ".join(str(problem.problem or problem.context).split())
        raise place.error(_("this is not YAML: {reason}").format(reason=reason)) from None
    except (YAMLError, ValueError) as problem:
        reason = " ".join(str(problem).split())
        raise file.error(_("this is not YAML: {reason}").format(reason=reason)) from None
    if root is None:
        raise file.error(_("the file is empty"))
    return _Reader(yaml, file).read(root, Place(file.file, None, file.folder))


class _Reader:
    """Turns the nodes of one file into what was said."""

    def __init__(self, yaml: YAML, file: Place) -> None:
        self._yaml = yaml
        self._file = file
        self._open: set[int] = set()
        """Nodes that are being read: an alias to one of them would never end."""

    def read(self, node: Node, place: Place) -> Said:
        """Return what `node` says, at `place`."""
        if id(node) in self._open:
            raise place.error(_("an alias may not stand inside the value that it names"))
        self._open.add(id(node))
        try:
            return Said(self._value(node), place)
        finally:
            self._open.discard(id(node))

    def _value(self, node: Node) -> Scalar | tuple[Said, ...] | dict[Scalar, Said]:
        if isinstance(node, MappingNode) and node.tag == _CORE + "map":
            return self._mapping(node)
        if isinstance(node, SequenceNode) and node.tag == _CORE + "seq":
            return tuple(self.read(item, self._place(item)) for item in node.value)
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        raise self._unknown_tag(node)

    def _mapping(self, node: MappingNode) -> dict[Scalar, Said]:
        found: dict[Scalar, Said] = {}
        for key_node, value_node in node.value:
            place = self._place(key_node)
            if not isinstance(key_node, ScalarNode):
                raise place.error(_("a key must be one word or number"))
            key = self._scalar(key_node)
            if key in found:
                raise place.error(
                    _('"{key}" stands here a second time; it was said on line {line}').format(
                        key=key, line=found[key].place.line
                    )
                )
            found[key] = self.read(value_node, place)
        return found

    def _scalar(self, node: ScalarNode) -> Scalar:
        if node.tag in _TEXT:
            return str(node.value)
        if node.tag not in {_CORE + name for name in ("null", "bool", "int", "float")}:
            raise self._unknown_tag(node)
        try:
            value: Scalar = self._yaml.constructor.construct_object(node)
        except (YAMLError, ValueError):
            raise self._place(node).error(_('"{value}" cannot be read').format(value=node.value)) from None
        return value

    def _place(self, node: Node) -> Place:
        return Place(self._file.file, node.start_mark.line + 1, self._file.folder)

    def _unknown_tag(self, node: Node) -> DrawerError:
        return self._place(node).error(_('the tag "{tag}" is not used here; leave it out').format(tag=node.tag))
