"""Structure that the tuning files of all of libcamera's processors share: algorithms, and matrices by light source."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from yaml import MappingNode, Node, SequenceNode

from campro.cameras.edits import Document

Matrix = Float[np.ndarray, "3 3"]
AWB = "Awb"
"""White balance: it estimates the colour temperature that selects the matrix. libcamera runs the algorithms in the
order of the file, so `Ccm` belongs behind it (and in the software ISP before the tables: `Lut`, `Adjust`)."""
ANY_LIGHT = 5000
"""Colour temperature in K of a single matrix, which libcamera uses for every light."""


def algorithms(document: Document, name: str) -> list[Node]:
    """Settings of all algorithms of a name.

    Raises:
        CamproError: If the file has no list of algorithms.
    """
    listed = document.sequence(Document.get(document.root, "algorithms"), "algorithms")
    return [entry for item in listed if (entry := Document.get(document.mapping(item, "an algorithm"), name))]


def algorithm_names(document: Document) -> set[str]:
    """Names of the algorithms.

    Raises:
        CamproError: If the file has no list of algorithms.
    """
    return {key.value for item in _list(document).value for key, _ in document.mapping(item, "an algorithm").value}


def settings_of(document: Document, name: str) -> MappingNode | None:
    """Settings of an algorithm; None if it is absent or has no settings.

    Raises:
        CamproError: If it occurs more than once.
    """
    found = algorithms(document, name)
    if len(found) > 1:
        raise document.refuse(f"{name} at most once among its algorithms", f"{len(found)} of them")
    if not found or found[0].value == "":
        return None
    return document.mapping(found[0], name)


def add_algorithm(document: Document, name: str, settings: str, after: str = "") -> None:
    """Add an algorithm with these settings, or give them to the one that has none.

    Args:
        document: The file.
        name: Name of the algorithm.
        settings: Its settings, as inside of braces.
        after: Algorithm behind which it is inserted; without it, or if the file has none, it becomes the last one.
    """
    if empty := algorithms(document, name):
        document.replace(empty[0], f" {{ {settings} }}")
        return
    listed = _list(document)
    names = [{key.value for key, _ in document.mapping(item, "an algorithm").value} for item in listed.value]
    place = next((index + 1 for index, one in enumerate(names) if after in one), len(names))
    document.insert(listed, place, f"{name}: {{ {settings} }}")


def light_matrices(document: Document, settings: MappingNode) -> list[tuple[MappingNode, SequenceNode, Matrix]]:
    """For each light source of "ccms": its entry, the node of its matrix, and the matrix.

    Raises:
        CamproError: If there is none, one has no inverse, or the colour temperatures do not rise.
    """
    listed = document.sequence(Document.get(settings, "ccms"), "ccms")
    found = []
    last = -np.inf
    for item in listed:
        entry = document.mapping(item, "a matrix")
        light = document.number(Document.get(entry, "ct"), "ct")
        node = Document.get(entry, "ccm")
        matrix = np.array(document.numbers(node, "ccm", 9)).reshape(3, 3)
        if light <= last:
            raise document.refuse("rising colour temperatures", f"{light:g} after {last:g}")
        if abs(np.linalg.det(matrix)) < 1e-6:
            raise document.refuse("matrices that can be inverted", f"one that cannot, at {light:g} K")
        last = light
        assert isinstance(node, SequenceNode)
        found.append((entry, node, matrix))
    if not found:
        raise document.refuse("at least one matrix", "none")
    return found


def _list(document: Document) -> SequenceNode:
    node = Document.get(document.root, "algorithms")
    document.sequence(node, "algorithms")
    assert isinstance(node, SequenceNode)
    return node
