"""A function that verifies a signature, in the languages that endpoints are written in (§3.6). Pure."""

from __future__ import annotations

from collections.abc import Mapping

PYTHON = '''\
import hashlib
import hmac
import os
import time

SECRET = os.environ["STATSIG_WEBHOOK_SECRET"]


def is_from_statsig(headers, raw_body: bytes, tolerance_seconds=300) -> bool:
    """Whether a request is Statsig's; raw_body is the body as it came, before any parsing."""
    timestamp = headers.get("X-Statsig-Request-Timestamp", "")
    signature = headers.get("X-Statsig-Signature", "")
    if not timestamp.isdigit() or abs(time.time() * 1000 - int(timestamp)) > tolerance_seconds * 1000:
        return False
    message = b"v0:" + timestamp.encode() + b":" + raw_body
    expected = "v0=" + hmac.new(SECRET.encode(), message, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())
'''

NODE = """\
const crypto = require("node:crypto");

const SECRET = process.env.STATSIG_WEBHOOK_SECRET;

// rawBody is a Buffer with the body as it came: express.raw({ type: "*/*" }), not express.json().
function isFromStatsig(headers, rawBody, toleranceSeconds = 300) {
  const timestamp = headers["x-statsig-request-timestamp"] ?? "";
  const signature = Buffer.from(headers["x-statsig-signature"] ?? "");
  if (!/^[0-9]+$/.test(timestamp)) return false;
  if (Math.abs(Date.now() - Number(timestamp)) > toleranceSeconds * 1000) return false;
  const hmac = crypto.createHmac("sha256", SECRET);
  const expected = Buffer.from("v0=" + hmac.update(`v0:${timestamp}:`).update(rawBody).digest("hex"));
  return signature.length === expected.length && crypto.timingSafeEqual(signature, expected);
}

module.exports = { isFromStatsig };
"""

GO = """\
package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"strconv"
	"time"
)

// IsFromStatsig says whether a request is Statsig's; rawBody is the body as it came, before any parsing.
func IsFromStatsig(header http.Header, rawBody []byte, tolerance time.Duration) bool {
	timestamp := header.Get("X-Statsig-Request-Timestamp")
	ms, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || time.Since(time.UnixMilli(ms)).Abs() > tolerance {
		return false
	}
	mac := hmac.New(sha256.New, []byte(os.Getenv("STATSIG_WEBHOOK_SECRET")))
	mac.Write([]byte("v0:" + timestamp + ":"))
	mac.Write(rawBody)
	expected := "v0=" + hex.EncodeToString(mac.Sum(nil))
	return hmac.Equal([]byte(expected), []byte(header.Get("X-Statsig-Signature")))
}
"""

RUBY = """\
require "openssl"

SECRET = ENV.fetch("STATSIG_WEBHOOK_SECRET")

# raw_body is the body as it came, before any parsing: request.raw_post in Rails.
def from_statsig?(timestamp, signature, raw_body, tolerance_seconds = 300)
  return false unless timestamp.to_s.match?(/\\A[0-9]+\\z/)
  return false if (Time.now.to_f * 1000 - timestamp.to_i).abs > tolerance_seconds * 1000

  expected = "v0=" + OpenSSL::HMAC.hexdigest("SHA256", SECRET, "v0:#{timestamp}:".b + raw_body.b)
  OpenSSL.secure_compare(expected, signature.to_s)
end
"""

VERIFIERS: Mapping[str, str] = {"Python": PYTHON, "Node": NODE, "Go": GO, "Ruby": RUBY}
"""By language; the secret comes from the environment and is in none of them."""
