"""The table of routes and roles is held: every route stands in it, and the gate lets nothing else in."""

import http.client

import pytest

from gateway.web.access import ACCESS
from gateway.web.access import CONTENT_SECURITY_POLICY
from gateway.web.access import Origin
from gateway.web.access import Role
from gateway.web.access import access_of
from gateway.web.access import is_loopback_name
from gateway.web.access import is_own_page
from gateway.web.app import make_app
from tests.machine import PATIENCE
from tests.web.conftest import Seeded

GETS = sorted(path for method, path in ACCESS if method == "GET")


def test_every_route_stands_in_the_table_and_every_line_of_the_table_is_a_route(seeded: Seeded) -> None:
    app = make_app(seeded.world.station)
    routes = {(method, route.path) for route in app.routes for method in route.methods if method != "HEAD"}  # type: ignore[attr-defined]
    assert routes == set(ACCESS)


def test_whatever_changes_something_asks_for_the_origin_and_for_a_role() -> None:
    for (method, path), access in ACCESS.items():
        assert access.roles, path
        if method not in {"GET", "HEAD"}:
            assert access.origin is Origin.OWN, path
            assert Role.PUBLIC not in access.roles and Role.AUDITOR not in access.roles, path


def test_a_route_that_is_not_in_the_table_is_closed(seeded: Seeded) -> None:
    from tests.web.world import serving_app

    app = make_app(seeded.world.station)
    app.add_api_route("/forgotten", lambda: "secret")
    with serving_app(app) as site:
        reply = site.get("/forgotten")
    assert (reply.status, b"secret" in reply.body) == (403, False)
    assert access_of("GET", "/forgotten") is None


@pytest.mark.parametrize("path", [*GETS, "/nothing", "/documents?after=rubbish"])
def test_every_answer_carries_the_strict_headers(seeded: Seeded, path: str) -> None:
    reply = seeded.site.get(path.replace("{id}", seeded.document("PO-CLEAN").id).replace("{name}", "app.css"))
    assert reply.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] == "same-origin"
    if not path.startswith(("/static", "/favicon")):
        assert reply.headers["cache-control"] == "no-store"
    assert "server" not in reply.headers


def test_another_sites_page_cannot_change_anything(fresh: Seeded) -> None:
    host = f"127.0.0.1:{fresh.site.port}"
    elsewhere = ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://evil.example"}, {"Origin": "null"})
    for method, path in sorted(line for line in ACCESS if line[0] != "GET"):
        address = path.replace("{id}", "H-1")
        for headers in elsewhere:
            reply = fresh.site.ask(method, address, b"reason=x", {**headers, "Host": host})
            assert (reply.status, b"another site" in reply.body) == (403, True), (address, headers)
        own = fresh.site.ask(method, address, b"reason=x", {"Origin": f"http://{host}", "Host": host})
        assert b"another site" not in own.body, address


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.7", "", "[::1"])
def test_a_name_that_is_not_loopbacks_is_refused(seeded: Seeded, host: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", seeded.site.port, timeout=PATIENCE)
    connection.putrequest("GET", "/documents", skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()
    assert connection.getresponse().status == 421
    connection.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8080", "localhost:8080", "[::1]:8080", "LOCALHOST"])
def test_names_of_loopback_are_answered(host: str) -> None:
    assert is_loopback_name(host)


def test_a_browser_that_says_the_site_is_believed_before_the_origin() -> None:
    assert not is_own_page({"sec-fetch-site": "cross-site", "origin": "http://a", "host": "a"})
    assert is_own_page({"sec-fetch-site": "same-origin"}) and is_own_page({"host": "a"})
    assert is_own_page({"origin": "http://127.0.0.1:1", "host": "127.0.0.1:1"}) and not is_own_page(
        {"origin": "http://127.0.0.1:2", "host": "127.0.0.1:1"}
    )


def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(fresh: Seeded) -> None:
    form = ("Content-Type", "application/x-www-form-urlencoded")
    assert fresh.site.announce("/holds/H-1/release", 70_000, [form]) == 413
    connection = http.client.HTTPConnection("127.0.0.1", fresh.site.port, timeout=PATIENCE)
    connection.putrequest("POST", "/holds/H-1/release")
    for name, value in (form, ("Transfer-Encoding", "chunked")):
        connection.putheader(name, value)
    connection.endheaders()
    for _ in range(7):
        connection.send(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
    assert connection.getresponse().status == 413
    connection.close()


def test_a_get_with_a_body_is_refused(seeded: Seeded) -> None:
    assert seeded.site.ask("GET", "/documents", b"x").status == 413


def test_other_methods_are_not_possible(seeded: Seeded) -> None:
    assert seeded.site.ask("DELETE", "/documents").status == 405
    assert seeded.site.ask("HEAD", "/documents").status == 200


@pytest.mark.parametrize(
    "path", ["/static/../access.py", "/static/%2e%2e/access.py", "/static/..%2faccess.py", "/static/templates", "/static/%2fetc%2fpasswd"]
)
def test_no_path_leads_out_of_the_static_files(seeded: Seeded, path: str) -> None:
    reply = seeded.site.get(path)
    assert reply.status == 404 and b"Access(" not in reply.body and b"root:" not in reply.body


def test_static_files_are_kept_only_under_an_address_that_changes_with_them(seeded: Seeded) -> None:
    assert "immutable" in seeded.site.get("/static/app.css?v=1").headers["cache-control"]
    assert seeded.site.get("/static/app.css").headers["cache-control"] == "no-cache"
