"""``python -m farecard.draws FILE`` verifies a published draw, with nothing else of farecard."""

import sys
from pathlib import Path

from farecard.draws import verify

published, wrong = verify(Path(sys.argv[1]).read_text("utf-8"))
sys.stdout.write("\n".join(wrong) + "\n" if wrong else "the draw is as it says\n")
sys.exit(1 if wrong else 0)
