"""``python -m farecard.draws FILE [ROOT]`` verifies a published draw, with nothing else of farecard."""

import sys
from pathlib import Path

from farecard.draws import remarks, verify

published, wrong = verify(Path(sys.argv[1]).read_text("utf-8"), *sys.argv[2:3])
said = wrong or ["the draw is as it says", *remarks(published)]
sys.stdout.write("\n".join(said) + "\n")
sys.exit(1 if wrong else 0)
