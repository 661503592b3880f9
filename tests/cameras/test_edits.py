"""Edits of JSON and YAML: each changes its own bytes only."""

from __future__ import annotations

import json

import pytest
import yaml

from campro.cameras.edits import LARGEST, Document
from campro.core.errors import CamproError

JSON = '{"a": 1, "b": [1.50, 2],\n "c": {"d": 3} }\n'


def changed(text, *edit):
    document = Document(text, "file")
    name, *arguments = edit
    getattr(document, name)(document.root, *arguments)
    return document.changed()


def test_without_edits_the_text_stays():
    assert Document(JSON, "file").changed() == JSON


def test_a_value_is_replaced_or_added():
    assert changed(JSON, "set", "a", "7") == JSON.replace('"a": 1', '"a": 7')
    assert json.loads(changed(JSON, "set", "new", "7")) == {**json.loads(JSON), "new": 7}
    assert yaml.safe_load(changed("a: 1\nb: 2\n", "set", "new", "7")) == {"a": 1, "b": 2, "new": 7}


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_a_value_is_removed(name):
    left = json.loads(JSON)
    del left[name]
    assert json.loads(changed(JSON, "remove", name)) == left


def test_an_absent_name_and_the_only_name_are_removed():
    assert changed(JSON, "remove", "nothing") == JSON
    assert json.loads(changed('{"a": 1}', "remove", "a")) == {}


def test_equal_numbers_keep_their_spelling():
    document = Document(JSON, "file")
    document.replace_numbers(Document.get(document.root, "b"), [1.5, 2.25])
    assert document.changed() == JSON.replace("[1.50, 2]", "[1.50, 2.25]")


@pytest.mark.parametrize("text", ["- a: 1\n- b: 2\n", "- a: 1\n- b: 2"])
def test_an_item_is_appended(text):
    document = Document("list:\n" + text, "file")
    document.append(Document.get(document.root, "list"), "c: 3")
    assert yaml.safe_load(document.changed()) == {"list": [{"a": 1}, {"b": 2}, {"c": 3}]}


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("text", ["- a: 1\n# c\n- b:\n    d: 2\n", "  - a: 1\n  - b: {d: 2}"])
def test_an_item_is_inserted(text, place):
    document = Document("list:\n" + text, "file")
    document.insert(Document.get(document.root, "list"), place, "c: 3")
    wanted = [{"a": 1}, {"b": {"d": 2}}]
    wanted.insert(place, {"c": 3})
    assert yaml.safe_load(document.changed()) == {"list": wanted}


def test_nothing_is_inserted_into_a_list_of_another_layout():
    document = Document("list: [{a: 1}]\n", "file")
    with pytest.raises(CamproError, match="one item a line"):
        document.insert(Document.get(document.root, "list"), 0, "c: 3")


def test_all_values_of_a_name_at_any_depth():
    document = Document('{"x": 1, "y": [{"x": 2}, {"z": {"x": 3}}]}', "file")
    assert [document.number(node, "x") for node in document.all_named("x")] == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "JSON or YAML"),
        ("[1]", "names and values"),
        ('{"a": 1, "a": 2}', "each name once"),
        ("#" * (LARGEST + 1), "at most"),
        ("[" * 100_000, "JSON or YAML"),
        ("a: &x [1, 2]\nb: *x\n", "no YAML alias"),
        ("a: &x {b: 1}\nc: {<<: *x}\n", "no YAML alias"),
    ],
)
def test_unusable_text_is_refused(text, reason):
    with pytest.raises(CamproError, match=reason):
        Document(text, "file")


@pytest.mark.parametrize("value", ["true", "[1]", '"x"', ".nan"])
def test_what_is_no_number_is_refused(value):
    document = Document(f"a: {value}", "file")
    with pytest.raises(CamproError, match="a number for a"):
        document.number(Document.get(document.root, "a"), "a")


def test_a_list_of_another_length_is_refused():
    document = Document("a: [1, 2]", "file")
    with pytest.raises(CamproError, match="3 numbers for a"):
        document.numbers(Document.get(document.root, "a"), "a", 3)


def test_an_anchor_or_a_star_without_alias_is_no_fault():
    text = 'a: &x [1, 2]\nb: "2 * 3"  # * comment\n'
    assert Document(text, "file").changed() == text


@pytest.mark.parametrize(("off", "on"), [("false", "true"), ("0", "1")])
def test_a_switch_keeps_its_spelling(off, on):
    assert changed(f"a: {off}\n", "switch_on", "a") == f"a: {on}\n"
    assert changed(f"a: {on}\n", "switch_on", "a") == f"a: {on}\n"
    assert changed(f"a: {on}\n", "switch_off", "a") == f"a: {off}\n"
    assert changed("b: 1\n", "switch_on", "a") == "b: 1\n"
