"""Random edit sessions on drafts of the shipped procedures: two people, hand edits, a console that is killed."""
