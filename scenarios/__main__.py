"""``python -m scenarios`` is ``circle15``."""

import sys

from scenarios.cli import main

sys.exit(main())
