"""Call records, the outbox and its delivery, webhooks, redaction."""
