"""Any text as the values of an order, X12 and EDIFACT: schema and mapping answer with problems, and with nothing else."""

import sys

import atheris

with atheris.instrument_imports(include=["gateway"]):
    from gateway.config import default_resolver
    from gateway.pipeline.plans import Plans
    from gateway.pipeline.reading.payload import stateless
    from gateway.pipeline.stateless.checking import Report

PLANS = Plans(default_resolver())
X12 = (
    "ISA*00*          *00*          *ZZ*ACMEBUYER      *ZZ*SELLERCO       *260105*1200*U*00401*000000001*0*P*>~"
    "GS*PO*ACMEBUYER*SELLERCO*20260105*1200*1*X*004010~ST*850*0001~BEG*00*SA*PO1**{0}~REF*DP*{1}~DTM*002*{2}*{3}~N1*BY*{4}*92*{5}~"
    "PO1*1*{6}*{7}*{8}**VP*{9}~CTT*1~SE*8*0001~GE*1*1~IEA*1*000000001~"
)
EDIFACT = (
    "UNB+UNOY:3+5412345000013:14+4012345500004:14+260105:1200+R1'UNH+1+ORDERS:D:96A:UN:EAN008'BGM+220+{0}+9'DTM+137:{1}:102'DTM+2:{2}:203'"
    "NAD+BY+{3}::9'CUX+2:{4}:9'LIN+1++{5}:EN'QTY+21:{6}:{7}'PRI+AAA:{8}'FTX+AAI+++{9}'UNS+S'UNT+12+1'UNZ+1+R1'"
)


def one_input(data: bytes) -> None:
    provider = atheris.FuzzedDataProvider(data)
    template = provider.PickValueInList([X12, EDIFACT])
    values = [provider.ConsumeUnicodeNoSurrogates(12) for _ in range(10)]
    report = Report("fuzzed")
    report.feed([template.format(*values).encode()], PLANS, stateless(PLANS), None)
    answer = report.json()
    assert answer["outcome"] in {"accepted", "accepted_with_errors", "partially_accepted", "rejected"}
    assert answer["outcome"] == "accepted" or answer["problems"]


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
