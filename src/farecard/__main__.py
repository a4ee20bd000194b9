"""``python -m farecard`` is ``farecard``."""

import sys

from farecard.cli.main import main

sys.exit(main())
