"""Other readers over the same bytes: pyx12 and pydifact as they come, and ours with the acknowledgment built."""

import io
import logging
import tempfile
import warnings
from pathlib import Path

from gateway.pipeline.plans import Plans
from gateway.pipeline.reading.payload import stateless
from gateway.pipeline.stateless.acknowledging_files import acknowledge_file


def acknowledged(data: bytes, plans: Plans) -> object:
    """Ours: validated, mapped to canonical orders, and the 997 or CONTRL built and read back."""
    answer = acknowledge_file([data], plans, stateless(plans), "CONTRL" if data[:3] in (b"UNA", b"UNB") else None)
    assert answer is not None and answer.accepted
    return answer


def pyx12_reads(data: bytes) -> object:
    """pyx12's X12Reader: segments and envelope checks, nothing kept."""
    from pyx12.x12file import X12Reader

    with tempfile.NamedTemporaryFile("wb", suffix=".edi") as file:
        file.write(data)
        file.flush()
        count = sum(1 for _ in X12Reader(file.name))
    assert count > 1
    return count


def pyx12_validates(data: bytes) -> object:
    """pyx12's validating path with its acknowledgment. It has no map of an 850: an 835 of the same size stands in."""
    import pyx12.params
    import pyx12.x12n_document

    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "835.edi"
        file.write_bytes(data)
        good = pyx12.x12n_document.x12n_document(pyx12.params.params(), str(file), io.StringIO(), None)
    logging.disable(logging.NOTSET)
    assert good
    return good


def pydifact_parses(data: bytes) -> object:
    """pydifact's parser: segments, no validation."""
    from pydifact.segmentcollection import RawSegmentCollection

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return RawSegmentCollection.from_str(data.decode("latin-1")).segments


def x12_835(count: int) -> bytes:
    """So many 835 of about the size of an 850 of ten lines."""
    parts = [
        "ISA*00*          *00*          *ZZ*PAYER          *ZZ*PAYEE          *260105*1200*^*00501*000000001*0*P*:",
        "GS*HP*PAYER*PAYEE*20260105*1200*1*X*005010X221A1",
    ]
    for number in range(1, count + 1):
        body = [
            f"ST*835*{number:04d}",
            "BPR*I*1500*C*ACH*CCP*01*999999992*DA*123456*1512345678**01*999988880*DA*98765*20260105",
            f"TRN*1*{number:08d}*1512345678",
            "DTM*405*20260105",
            "N1*PR*INSURER ONE",
            "N3*1 MAIN ST",
            "N4*TULSA*OK*741040000",
            "PER*BL*PAT SMITH*TE*8005551212",
            "N1*PE*SOME CLINIC*XX*1999996666",
            "REF*TJ*777667755",
            "LX*1",
        ]
        for claim in range(1, 6):
            body += [
                f"CLP*CLAIM{number:06d}{claim}*1*300*250**12*1900{number:06d}{claim}*11",
                "NM1*QC*1*DOE*SAM*O***MI*6666666666",
                "DTM*232*20260101",
                "SVC*HC:99214*300*250**1",
                "DTM*472*20260101",
                "CAS*CO*45*50",
            ]
        parts += [*body, f"SE*{len(body) + 1}*{number:04d}"]
    return ("~".join([*parts, f"GE*{count}*1", "IEA*1*000000001"]) + "~").encode()
