"""What to do about an attempt that failed, in words. Pure; what failed stands in its status and error."""

from __future__ import annotations

from statsig_tui.core.records import AttemptRecord

_BY_STATUS = {
    400: "the answer may name what it does not take; Envelope and Timestamps can be changed in Delivery",
    401: "the secret under Signing must be the endpoint's; Self-test there shows what it takes",
    403: "the secret under Signing must be the endpoint's; Self-test there shows what it takes",
    404: "check the path of the Webhook URL in Delivery",
    405: "this path takes no POST: check the Webhook URL in Delivery",
    408: "the endpoint waited for the body: answer later, or look at what is between",
    410: "once the endpoint is back, space in the list resumes the destination",
    413: "raise the endpoint's limit, or have smaller batches in Delivery",
    415: "the endpoint must take application/json, or name another Content-Type under Headers in Delivery",
    422: "the answer may name what it does not take; Envelope and Timestamps can be changed in Delivery",
    429: "a Rate limit in Delivery keeps below what the endpoint takes",
    502: "a proxy answered: is the endpoint behind it running?",
    503: "a proxy or the endpoint is overloaded or down: see its log",
    504: "a proxy gave up waiting: have the endpoint answer first and work afterwards",
}
_BY_ERROR = (
    (
        "cancelled by hand",
        "Retry now sends it after all; by its timeUUID the endpoint knows what it has already",
    ),
    (
        "interrupted while",
        "unless it was cancelled it goes again by itself; by its timeUUID the endpoint knows it",
    ),
    ("no answer within", "have the endpoint answer first and work afterwards, or raise Timeout in Delivery"),
    ("no connection within", "check host and port of the Webhook URL, and the firewalls between"),
    ("connection refused", "start the endpoint, or mend the port of the Webhook URL in Delivery"),
    ("does not resolve", "mend the host of the Webhook URL in Delivery, or look at the network"),
    ("asks for a client certificate", "name a Client cert in Delivery"),
    ("client certificate", "look at Client cert in Delivery"),
    ("self-signed", "trust it through SSL_CERT_FILE; for a test, Verify TLS in Delivery can be off"),
    ("local issuer", "trust its authority through SSL_CERT_FILE; for a test, Verify TLS can be off"),
    ("mismatch", "have the host in the Webhook URL that the certificate is for, or renew it"),
    ("not valid for", "have the host in the Webhook URL that the certificate is for, or renew it"),
    ("expired", "renew the endpoint's certificate; for a test, Verify TLS in Delivery can be off"),
    ("TLS error", "if the endpoint speaks no TLS, the Webhook URL begins with http://"),
    ("link-local", "where it is meant, Link-local in Delivery allows it"),
    ("the proxy refused", "NO_PROXY in the environment leaves a host out"),
    ("protocol error", "what answers there speaks no proper HTTP: check the port of the Webhook URL"),
    ("connection lost", "the endpoint ended without an answer: see its log"),
    ("broken off", "the endpoint ended without an answer: see its log"),
)
"""What an error says, the closest first."""


def mend(attempt: AttemptRecord) -> str:
    """What can be done about an attempt, in a line; empty where it arrived, or nothing is known."""
    status, error = attempt.status, attempt.error
    if status is None:
        return next((words for said, words in _BY_ERROR if said in (error or "")), "")
    if 200 <= status <= 299:
        return ""
    if 300 <= status <= 399:
        return "have the address it leads to as the Webhook URL in Delivery"
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return "the endpoint failed by itself: see its log" if status >= 500 else ""
