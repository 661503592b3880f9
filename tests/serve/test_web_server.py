"""Addresses, tokens and settings."""

from __future__ import annotations

import socket

import pytest

from campro.core.errors import CamproError
from campro.isp import load_profile
from campro.serve.page_settings import PageSettings, profile_table
from campro.serve.web_server import address, check_address, new_token


def test_only_loopback_needs_no_token():
    assert new_token("127.0.0.1") == new_token("::1") == new_token("localhost") == ""
    first, second = new_token("192.0.2.7"), new_token("192.0.2.7")
    assert len(first) >= 32 and first != second


def test_the_address_has_the_token():
    assert address(PageSettings("192.0.2.7", 80, "a-b")) == "http://192.0.2.7:80/?token=a-b"


def test_the_hosts_are_those_of_the_address():
    assert PageSettings(port=1).hosts == {"127.0.0.1:1", "localhost:1", "[::1]:1"}
    assert PageSettings("192.0.2.7", 80).hosts == {"192.0.2.7:80", "192.0.2.7"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.7", "no such host"])
def test_an_address_that_is_not_of_this_machine_is_refused(host):
    with pytest.raises(CamproError, match="serve"):
        check_address(host, 8760)


def test_a_port_in_use_is_refused():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(CamproError, match="a free port"):
            check_address("127.0.0.1", other.getsockname()[1])


def test_profiles_of_the_user_follow_the_built_in_ones(tmp_path):
    file = tmp_path / "own.json"
    file.write_text(load_profile("negative").to_json().replace('"negative"', '"own"'))
    names = list(profile_table((file,)))
    assert names[:2] == ["campro-default", "campro-strong"] and names[-1] == "own"
    with pytest.raises(CamproError, match="a name of its own"):
        profile_table((file, file))
