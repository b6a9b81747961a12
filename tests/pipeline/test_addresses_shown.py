"""What follows the question mark of an address is often a key: it goes to the server that it is for, and stands in no page, log, journal or
answer to somebody else."""

from pathlib import Path

import pytest

from gateway.exchange import as2
from gateway.pipeline.as2.keys import Relations
from gateway.pipeline.as2.receiving import receive_as2
from gateway.pipeline.keeping.telling import trail_json
from gateway.pipeline.keeping.telling import trail_words
from gateway.pipeline.keeping.trails import trail_of
from gateway.store import journal
from tests.pipeline.as2_partner import as2_world
from tests.pipeline.as2_partner import partner_station
from tests.pipeline.as2_partner import their_relation
from tests.pipeline.world import World
from tests.pipeline.world import x12_order
from tests.web.world import serving

KEY = "hunter2-and-more"
HTTPS = f"""\
  web: {{https: "https://acme.example/in?token={KEY}"}}
  box:"""


def everything_said(world: World, capsys: pytest.CaptureFixture[str], *references: str) -> str:
    """Journal, trails, pages and log."""
    with world.station.database.read() as connection:
        said = [repr(one.entry) for one in journal.after(connection, 0)]
    for reference in references:
        found = trail_of(world.station, reference)
        assert found is not None, reference
        said += [trail_words(found), repr(trail_json(found))]
    with serving(world.station) as site:
        said += [site.get(page).text for page in ("/", "/partners", "/partners/acme", "/deliveries", *(f"/trail?q={one}" for one in references))]
    return "\n".join([*said, *capsys.readouterr()])


def test_keys_in_partners_addresses_are_shown_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with partner_station() as partner:
        receipts = f"{partner.url}/receipts?token={KEY}"
        world = as2_world(tmp_path, f"{partner.url}/as2?token={KEY}", f'receipt_addresses: "{receipts}"', receive_from="as2")
        file = tmp_path / "partners" / "acme.yaml"
        file.write_text(file.read_text().replace("  box:", HTTPS, 1))
        partner.clock, partner.relation = world.clock, their_relation(require_encryption=False)
        partner.answer = lambda post: partner.taken(post) if post.path.startswith("/receipts") else partner.receipt_at_once(post)
        for message_id, address in (("o1@buyer", receipts), ("o2@buyer", f"{partner.url}/elsewhere?token={KEY}")):
            relation = their_relation(receipt_delivery="async", our_receipt_url=address)
            made = as2.wrap(x12_order(), relation, message_id, world.clock(), "po.edi")
            assert isinstance(made, as2.As2Request)
            answer = receive_as2(world.station, Relations(world.station), made.headers, made.body)
            assert KEY not in answer.body.decode()
        world.settle()
        assert {post.path for post in partner.posts} == {f"/as2?token={KEY}", f"/receipts?token={KEY}"}, "whom it is for gets it"
        said = everything_said(world, capsys, "o1@buyer", "o2@buyer", "PO1")
        assert KEY not in said, said[max(0, said.index(KEY) - 300) :][:400]
        assert "https://acme.example/in?..." in said and "/receipts?..." in said, "the rest of it is"
        world.close()
