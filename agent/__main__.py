"""``python -m agent`` is the ``orderline`` command."""

from agent.cli import main

raise SystemExit(main())
