"""Our SMTP server as config.yaml names it, with its password read: what documents and alerts are mailed by."""

from gateway.config import ConfigTrouble
from gateway.config import Installation
from gateway.transport.smtp import SmtpSettings


def smtp_settings(installation: Installation) -> SmtpSettings:
    """The settings of our mail server; raises ConfigTrouble where config.yaml names none or a secret cannot be read."""
    mail = installation.settings.mail
    if mail is None:
        raise ConfigTrouble('config.yaml names no mail server: mail: {smtp: "smtps://smtp.example", from: edi@us.example}')
    return SmtpSettings(
        host=mail.host,
        port=mail.port,
        implicit_tls=mail.implicit_tls,
        no_tls=mail.tls == "none",
        user=mail.user,
        password=installation.secret(mail.password) if mail.password else None,
        ca_file=str(installation.path(mail.authorities)) if mail.authorities else None,
        timeout_seconds=mail.timeout,
        longest_seconds=10 * mail.timeout,
    )
