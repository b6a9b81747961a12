"""The bank's statements, camt.053: its own code, none of ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from xml.sax.saxutils import escape

from gateway.demo.cast import US

_ENTRY = """\
      <Ntry>
        <Amt Ccy="{currency}">{amount}</Amt>
        <CdtDbtInd>CRDT</CdtDbtInd>
        <Sts><Cd>BOOK</Cd></Sts>
        <BookgDt><Dt>{day}</Dt></BookgDt>
        <ValDt><Dt>{day}</Dt></ValDt>
        <AcctSvcrRef>{reference}</AcctSvcrRef>
        <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>
        <NtryDtls>
          <TxDtls>
            <Refs><AcctSvcrRef>{reference}</AcctSvcrRef><EndToEndId>NOTPROVIDED</EndToEndId></Refs>
            <Amt Ccy="{currency}">{amount}</Amt>
            <CdtDbtInd>CRDT</CdtDbtInd>
            <RltdPties>
              <Dbtr><Pty><Nm>{payer}</Nm></Pty></Dbtr>
              <DbtrAcct><Id><IBAN>{iban}</IBAN></Id></DbtrAcct>
            </RltdPties>
            <RmtInf>{remittance}</RmtInf>
          </TxDtls>
        </NtryDtls>
      </Ntry>"""
_STATEMENT = """\
<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">
  <BkToCstmrStmt>
    <GrpHdr><MsgId>{number}</MsgId><CreDtTm>{at}</CreDtTm></GrpHdr>
    <Stmt>
      <Id>{number}</Id>
      <CreDtTm>{at}</CreDtTm>
      <Acct><Id><IBAN>{account}</IBAN></Id><Ccy>{currency}</Ccy></Acct>
{entries}
    </Stmt>
  </BkToCstmrStmt>
</Document>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """Money that arrived on our account."""

    amount: Decimal
    payer: str
    iban: str
    #: the structured reference that the payer repeated
    reference: str = ""
    #: what the payer wrote
    text: str = ""


def statement(number: str, arrived: Sequence[Arrived], at: datetime, currency: str = "EUR") -> bytes:
    """One day's statement."""
    entries = [
        _ENTRY.format(
            currency=currency,
            amount=one.amount,
            day=at.date(),
            reference=f"{number}/{position}",
            payer=escape(one.payer),
            iban=one.iban,
            remittance=f"<Strd><CdtrRefInf><Ref>{one.reference}</Ref></CdtrRefInf></Strd>" if one.reference else f"<Ustrd>{escape(one.text)}</Ustrd>",
        )
        for position, one in enumerate(arrived, 1)
    ]
    text = _STATEMENT.format(number=number, at=at.isoformat(timespec="seconds"), account=US.iban, currency=currency, entries="\n".join(entries))
    return text.encode()
