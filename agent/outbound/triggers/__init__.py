"""What makes jobs: webhooks of shops and carriers, files, polling; and which orders a survey asks about."""
