"""Mapping costs less than cutting the file apart does (by a generous ratio: machines differ, ratios less)."""

import time

from gateway.codecs import x12
from gateway.codecs.node import Transaction
from gateway.mapping.apply import to_document
from gateway.mapping.compile_reading import compile_reading
from tests.mapping.mapping_world import NOBODY
from tests.mapping.mapping_world import checked
from tests.mapping.mapping_world import shipped
from tests.mapping.mapping_world import source_of
from tests.mapping.mapping_world import x12_file

LINE = "PO1*{0}*{0}*EA*{0}.50**BP*B{0}*VP*V{0}*UP*012345678905~PID*F****WIDGET NUMBER {0}~"
HEAD = (
    "BEG*00*SA*PO{0}**20260105~CUR*BY*USD~REF*DP*099~REF*CT*C-9~PER*BD*PURCHASING*TE*5551234~FOB*PP~ITD*01*3*2**10**30~DTM*002*20260120~DTM*001*20260125~"
    "TD5**2*UPSN*M~N1*BY*ACME*92*0001~N1*ST*ACME STORE 12*92*0012~N3*12 MAIN ST~N4*SPRINGFIELD*IL*62701*US~N1*SE*SELLER CO*UL*4012345500004~"
)
ORDERS = 300


def test_mapping_an_850_costs_no_more_than_splitting_it_three_times() -> None:
    body = "".join(LINE.format(number) for number in range(1, 11))
    data = b"".join(x12_file(HEAD.format(number) + body) for number in range(ORDERS))
    transactions = [event for event in x12.read([data]) if isinstance(event, Transaction)]
    trees = [checked(transaction, "x12/004010/850").tree for transaction in transactions]
    reading = compile_reading(shipped("x12/004010/850", "read"))
    header = source_of(transactions[0])
    text = data.decode()
    ratios = []
    for _ in range(5):
        start = time.process_time()
        kept = [segment.split("*") for segment in text.split("~")]
        split = time.process_time() - start
        start = time.process_time()
        documents = [to_document(transaction, tree, reading, header, NOBODY)[0] for transaction, tree in zip(transactions, trees, strict=True)]
        ratios.append((time.process_time() - start) / split)
        assert len(kept) > ORDERS
        assert len(documents) == ORDERS
        assert documents[0] is not None
    assert min(ratios) < 6, ratios
