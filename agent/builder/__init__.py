"""Changes procedures: edits of their files as text, drafts of them, and what must hold before they are published."""
