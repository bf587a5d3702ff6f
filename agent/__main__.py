"""``python -m agent`` is the ``orderline`` command."""

from agent.cli.main import main

raise SystemExit(main())
