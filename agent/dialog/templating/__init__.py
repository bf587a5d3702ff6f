"""Variables and expressions in prompts and flows, in jinja's sandbox."""
